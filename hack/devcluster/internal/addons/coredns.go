// Package addons holds what a cluster of real nodes needs besides Kubernetes:
// cluster DNS, and the images that cannot be pulled from anywhere.
package addons

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"strings"
	"text/template"
)

// DNSIP is the usual address of cluster DNS in the service network.
const DNSIP = "10.96.0.10"

// CoreDNS' place in the cluster.
const (
	DNSNamespace  = "kube-system"
	DNSDeployment = "coredns"
)

//go:embed coredns.yaml.tmpl
var corednsManifest string

var corednsTemplate = template.Must(template.New("coredns.yaml").Parse(corednsManifest))

// CoreDNSManifest is what to apply for cluster DNS.
func CoreDNSManifest(image, domain string) (string, error) {
	var b strings.Builder
	digest := sha256.Sum256([]byte(corednsManifest + domain))
	err := corednsTemplate.Execute(&b, map[string]string{
		"Image": image, "Domain": domain, "IP": DNSIP, "ConfigDigest": hex.EncodeToString(digest[:6]),
	})
	return b.String(), err
}
