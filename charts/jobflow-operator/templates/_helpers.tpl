{{/*
The prefix of all names: the name of the release, followed by the name of the chart
unless it is contained in it. 28 characters leave room for the longest suffix of a
Service, -controller-manager-metrics-service, whose name may have 63.
*/}}
{{- define "jobflow-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 28 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 28 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "jobflow-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (printf "%s-controller-manager" (include "jobflow-operator.fullname" .)) -}}
{{- else -}}
{{- required "serviceAccount.name: set the name of an existing service account, or set serviceAccount.create to true" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* The subject of every binding to the operator. */}}
{{- define "jobflow-operator.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "jobflow-operator.serviceAccountName" . }}
    namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* The selector of the operator's pods. It cannot change in an upgrade. */}}
{{- define "jobflow-operator.selector" -}}
app.kubernetes.io/name: jobflow-operator
control-plane: controller-manager
{{- end -}}

{{/* The labels of every object. */}}
{{- define "jobflow-operator.labels" -}}
app.kubernetes.io/name: jobflow-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "jobflow-operator.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default (printf "v%s" .Chart.AppVersion)) -}}
{{- end -}}
{{- end -}}

{{- define "jobflow-operator.webhookService" -}}
{{- include "jobflow-operator.fullname" . }}-webhook-service
{{- end -}}

{{/*
The name differs if the operator does not create the certificate: pods of an older revision
that still create one put their CA into the configuration with the name that they know.
*/}}
{{- define "jobflow-operator.webhookConfiguration" -}}
{{- $source := .Values.webhook.certificate.source -}}
{{- include "jobflow-operator.fullname" . }}-validating-webhook-configuration{{ if ne $source "operator" }}-{{ $source }}{{ end }}
{{- end -}}

{{/* The Secret of the webhooks' certificate, from any source. */}}
{{- define "jobflow-operator.webhookSecret" -}}
{{- $certificate := .Values.webhook.certificate -}}
{{- if eq $certificate.source "secret" -}}
{{- required "webhook.certificate.secretName: set the name of the Secret with tls.crt and tls.key, or set webhook.certificate.source to operator" $certificate.secretName -}}
{{- else -}}
{{- $certificate.secretName | default (printf "%s-webhook-server-cert" (include "jobflow-operator.fullname" .)) -}}
{{- end -}}
{{- end -}}

{{/* Not empty if the operator creates its own certificate. */}}
{{- define "jobflow-operator.ownCertificate" -}}
{{- if and .Values.webhook.enabled (eq .Values.webhook.certificate.source "operator") }}true{{ end -}}
{{- end -}}

{{/*
The operator's flags. Flags with default values are omitted, so that the pod shows only what
was changed.
*/}}
{{- define "jobflow-operator.args" -}}
{{- if .Values.leaderElection.enabled }}
- --leader-elect
{{- end }}
{{- if ne (int .Values.workers) 64 }}
- --workers={{ int .Values.workers }}
{{- end }}
{{- if not .Values.webhook.enabled }}
- --enable-webhooks=false
{{- else }}
{{- if ne (int .Values.webhook.port) 9443 }}
- --webhook-port={{ int .Values.webhook.port }}
{{- end }}
{{- if include "jobflow-operator.ownCertificate" . }}
{{- with include "jobflow-operator.webhookSecret" . }}{{ if ne . "jobflow-operator-webhook-server-cert" }}
- --webhook-secret={{ . }}
{{- end }}{{ end }}
{{- with include "jobflow-operator.webhookService" . }}{{ if ne . "jobflow-operator-webhook-service" }}
- --webhook-service={{ . }}
{{- end }}{{ end }}
{{- with include "jobflow-operator.webhookConfiguration" . }}{{ if ne . "jobflow-operator-validating-webhook-configuration" }}
- --webhook-configuration={{ . }}
{{- end }}{{ end }}
{{- end }}
{{- end }}
{{- if not .Values.metrics.enabled }}
- --metrics-bind-address=0
{{- else }}
{{- if ne (int .Values.metrics.port) 8080 }}
- --metrics-bind-address=:{{ int .Values.metrics.port }}
{{- end }}
{{- if not .Values.metrics.secure }}
- --metrics-secure=false
{{- end }}
{{- end }}
{{- if ne (toString .Values.log.level) "info" }}
- --zap-log-level={{ .Values.log.level }}
{{- end }}
{{- if ne .Values.log.format "json" }}
- --zap-encoder={{ .Values.log.format }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}
