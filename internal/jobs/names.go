// Package jobs names, builds and reads the batch/v1 Jobs of JobFlows and
// DaemonJobs.
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
	// maxLength is the longest name that is used as it is. The name of an object
	// may have 253 characters, but a Job's name becomes the value of the label
	// batch.kubernetes.io/job-name on its pods, and that ends at 63.
	maxLength = 63

	// hashLength is the number of base32 characters at the end of a name that was
	// cut. Ten of them are 50 bits: among 10,000 names that were cut, the chance
	// that two meet is less than one in ten million, while 41 or more characters
	// stay readable.
	hashLength = 10
)

// Name is the name of the child Job: "<parent>-<run>", cut and ended in a hash
// where it would be over the limit. The run is a step or a node. spec may be
// nil while it is not known.
//
// Two short names can be equal, as those of the run "b-c" of "a" and the run
// "c" of "a-b"; two that were changed cannot, since the hash is that of parent
// and run apart.
func Name(parent, run string, spec *batchv1.JobSpec) string {
	name := parent + "-" + run
	limit := maxLength
	// '/' can be in neither of the two names.
	identity := parent + "/" + run

	if suffix, ok := hostnameSuffix(spec); ok {
		// A pod of an Indexed Job has the hostname "<job>-<index>". The API server
		// refuses the Job unless the longest of them is a DNS label, which has at most
		// 63 characters and no dots; the names of nodes often have dots.
		limit -= len(suffix)
		if dotless := strings.ReplaceAll(name, ".", "-"); dotless != name {
			return cut(dotless, limit, identity)
		}
	}
	if len(name) <= limit {
		return name
	}
	return cut(name, limit, identity)
}

// LabelValue is the name as the value of a label: cut and ended in a hash where
// it is longer than the 63 characters of a label's value.
func LabelValue(name string) string {
	if len(name) <= maxLength {
		return name
	}
	return cut(name, maxLength, name)
}

// hostnameSuffix is what the Job controller adds to the name of an Indexed Job
// for the hostname of the pod with the highest index.
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

// cut shortens the name so that it has room for a hash of the identity within
// the limit, and adds that. A cut after '-' or '.' would leave a DNS subdomain
// with an invalid or empty part, so these go too.
func cut(name string, limit int, identity string) string {
	keep := min(len(name), limit-1-hashLength)
	return strings.TrimRight(name[:keep], "-.") + "-" + hash(identity)
}

func hash(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:hashLength]
}
