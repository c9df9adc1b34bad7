// Package jobs names, builds and reads the batch/v1 Jobs of JobFlows and DaemonJobs.
package jobs

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"
)

const (
	// maxLength is the length up to which a name is not truncated. The name of an object
	// may have 253 characters, but a Job's name becomes the value of the label
	// batch.kubernetes.io/job-name on its pods, which may have 63.
	maxLength = 63

	// hashLength is the number of base32 characters at the end of a truncated name. Ten
	// characters are 50 bits: among 10,000 truncated names, the chance of a collision is
	// less than one in ten million, and 41 or more characters stay readable.
	hashLength = 10
)

// Name returns the name of the child Job: "<parent>-<run>", truncated with a hash at the
// end if it is too long. The run is a step or a node. spec may be nil while it is not
// known.
//
// Two short names can be equal: the run "b-c" of "a" and the run "c" of "a-b" have the
// same one. Two truncated names differ, since the hash separates parent and run.
func Name(parent, run string, spec *batchv1.JobSpec) string {
	return Run{run, 1}.jobName(parent, spec)
}

// jobName returns the name of the Job of an attempt. Those after the first end in its number.
func (r Run) jobName(parent string, spec *batchv1.JobSpec) string {
	end := ""
	if r.Attempt > 1 {
		end = "-r" + strconv.Itoa(int(r.Attempt))
	}
	return fitName(parent, r.Name, spec, maxLength-len(end)) + end
}

func fitName(parent, run string, spec *batchv1.JobSpec, limit int) string {
	name := parent + "-" + run
	// Neither of the two names can contain '/'.
	identity := parent + "/" + run

	if suffix, ok := hostnameSuffix(spec); ok {
		// A pod of an Indexed Job has the hostname "<job>-<index>". The API server
		// refuses the Job unless the longest hostname is a DNS label, which has at most
		// 63 characters and no dots. The names of nodes often have dots.
		limit -= len(suffix)
		if dotless := strings.ReplaceAll(name, ".", "-"); dotless != name {
			return truncateWithHash(dotless, limit, identity)
		}
	}
	if len(name) <= limit {
		return name
	}
	return truncateWithHash(name, limit, identity)
}

// LabelValue returns the name as the value of a label: truncated with a hash at the end if
// it is longer than the 63 characters of a label value.
func LabelValue(name string) string {
	if len(name) <= maxLength {
		return name
	}
	return truncateWithHash(name, maxLength, name)
}

// hostnameSuffix returns what the Job controller appends to the name of an Indexed Job for
// the hostname of the pod with the highest index.
func hostnameSuffix(spec *batchv1.JobSpec) (string, bool) {
	if spec == nil || ptr.Deref(spec.CompletionMode, batchv1.NonIndexedCompletion) != batchv1.IndexedCompletion {
		return "", false
	}
	completions := ptr.Deref(spec.Completions, 0)
	if completions <= 0 {
		return "", false
	}
	return "-" + strconv.Itoa(int(completions)-1), true
}

// truncateWithHash shortens the name so that it fits within the limit together with a hash
// of the identity, which it appends. It drops a trailing '-' or '.', which would leave an
// invalid or empty part of a DNS subdomain.
func truncateWithHash(name string, limit int, identity string) string {
	keep := min(len(name), limit-1-hashLength)
	return strings.TrimRight(name[:keep], "-.") + "-" + hash(identity)
}

func hash(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:hashLength]
}
