package cluster

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// ledger is a file that every container writes to when its work begins and when it
// ends: what has run, without the API server's word for it. The nodes share a machine
// and its disk, so that the lines are in the order in which things happened, and no
// clocks are compared.
type ledger struct{ dir string }

func newLedger() ledger {
	GinkgoHelper()
	dir, err := os.MkdirTemp("", "jobflow-ledger-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	return ledger{dir}
}

// line is one line of the ledger.
type line struct {
	parent, run, job, pod string
	ended                 bool
}

func (l ledger) lines() []line {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(l.dir, "lines"))
	if os.IsNotExist(err) {
		return nil
	}
	Expect(err).NotTo(HaveOccurred())
	var lines []line
	for text := range strings.Lines(string(content)) {
		fields := strings.Fields(text)
		// The node of a writer may lose its power in the middle of a line.
		if len(fields) == 5 {
			lines = append(lines, line{fields[0], fields[1], fields[2], fields[3], fields[4] == "end"})
		}
	}
	return lines
}

const ledgerVolume = "ledger"

// write is a script that does some work and says so in the ledger.
func write(work string) string {
	say := func(what string) string { return `echo "$PARENT $RUN $JOB $POD ` + what + `" >> /ledger/lines; ` }
	return say("begin") + work + "; result=$?; " + say("end") + "exit $result"
}

// openLedger gives a pod the ledger, and what it writes there. The run is a label of
// the operator's.
func openLedger(pod *corev1.PodSpec, dir, parent, runField string) {
	field := func(name, path string) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
	}
	pod.Volumes = append(pod.Volumes, corev1.Volume{Name: ledgerVolume, VolumeSource: corev1.VolumeSource{
		HostPath: &corev1.HostPathVolumeSource{Path: dir, Type: ptr.To(corev1.HostPathDirectory)},
	}})
	for i := range pod.Containers {
		pod.Containers[i].VolumeMounts = append(pod.Containers[i].VolumeMounts, corev1.VolumeMount{Name: ledgerVolume, MountPath: "/ledger"})
		pod.Containers[i].Env = append(pod.Containers[i].Env,
			corev1.EnvVar{Name: "PARENT", Value: parent},
			field("RUN", runField),
			field("JOB", "metadata.labels['batch.kubernetes.io/controller-uid']"),
			field("POD", "metadata.name"))
	}
}

func (l ledger) linesOf(parent string) []line {
	GinkgoHelper()
	return slices.DeleteFunc(l.lines(), func(l line) bool { return l.parent != parent })
}
