package jobs

import (
	"math"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"
)

func indexed(completions int32) *batchv1.JobSpec {
	return &batchv1.JobSpec{
		CompletionMode: ptr.To(batchv1.IndexedCompletion),
		Completions:    &completions,
	}
}

func TestName(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	// The hashes are written out: a Job that exists must be found again by the next
	// version of the operator.
	cases := map[string]struct {
		parent, run string
		spec        *batchv1.JobSpec
		want        string
	}{
		"short":                            {"jobflow-example", "job1", &batchv1.JobSpec{}, "jobflow-example-job1"},
		"spec unknown":                     {"jobflow-example", "job1", nil, "jobflow-example-job1"},
		"62 characters":                    {a(57), "step", nil, a(57) + "-step"},
		"63 characters":                    {a(58), "step", nil, a(58) + "-step"},
		"64 characters":                    {a(59), "step", nil, a(52) + "-tviemcs4rh"},
		"far above":                        {a(253), "step", nil, a(52) + "-pjufly2qpq"},
		"dots stay":                        {"dj", "ip-10-0-0-1.ec2.internal", &batchv1.JobSpec{}, "dj-ip-10-0-0-1.ec2.internal"},
		"cut after '-'":                    {a(51), "step-of-some-length", nil, a(51) + "-4ch47zyog3"},
		"cut after '.'":                    {a(51) + ".b", "step-of-some-length", nil, a(51) + "-5r7qm7y4gm"},
		"Indexed, short":                   {"flow", "step", indexed(10), "flow-step"},
		"Indexed, 61 and one digit":        {a(56), "step", indexed(10), a(56) + "-step"},
		"Indexed, 62 and one digit":        {a(57), "step", indexed(10), a(50) + "-ddqoood5qa"},
		"Indexed, 61 and two digits":       {a(56), "step", indexed(11), a(49) + "-crbzh4uov7"},
		"Indexed, largest":                 {a(253), "step", indexed(math.MaxInt32), a(41) + "-pjufly2qpq"},
		"Indexed, dots":                    {"dj", "node.internal", indexed(2), "dj-node-internal-y4ygnb3zxq"},
		"Indexed, dashes where others dot": {"dj", "node-internal", indexed(2), "dj-node-internal"},
		"Indexed without completions":      {"dj", "node.internal", &batchv1.JobSpec{CompletionMode: ptr.To(batchv1.IndexedCompletion)}, "dj-node.internal"},
		"Indexed with no completions":      {"dj", "node.internal", indexed(0), "dj-node.internal"},
		"NonIndexed":                       {"dj", "node.internal", &batchv1.JobSpec{CompletionMode: ptr.To(batchv1.NonIndexedCompletion), Completions: ptr.To[int32](2)}, "dj-node.internal"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Name(c.parent, c.run, c.spec); got != c.want {
				t.Errorf("Name(%q, %q) = %q, want %q", c.parent, c.run, got, c.want)
			}
		})
	}
}

func TestLongNamesNeverMeet(t *testing.T) {
	long := strings.Repeat("a", 60)
	cases := map[string]struct{ one, other string }{
		"runs that differ after the cut": {
			Name("flow", long+"-1", nil), Name("flow", long+"-2", nil),
		},
		"parents that differ after the cut": {
			Name(long+"-1", "step", nil), Name(long+"-2", "step", nil),
		},
		"another border between parent and run": {
			Name(long+"-b", "c", nil), Name(long, "b-c", nil),
		},
		"dots and dashes, Indexed": {
			Name("dj", "a.b", indexed(2)), Name("dj", "a-b", indexed(2)),
		},
		"dots in another place, Indexed": {
			Name("dj", "a.b-c", indexed(2)), Name("dj", "a-b.c", indexed(2)),
		},
		"dot in the parent, Indexed": {
			Name("d.j", "a", indexed(2)), Name("d-j", "a", indexed(2)),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.one == c.other {
				t.Errorf("both are named %q", c.one)
			}
		})
	}
}

func TestNameIsWhatTheAPIServerTakes(t *testing.T) {
	subdomain := rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,40}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,60}[a-z0-9])?){0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		parent := subdomain.Draw(t, "parent")
		runs := rapid.SliceOfNDistinct(subdomain, 2, 2, rapid.ID[string]).Draw(t, "runs")
		var spec *batchv1.JobSpec
		if completions := rapid.Int32Range(0, math.MaxInt32).Draw(t, "completions"); completions > 0 {
			spec = indexed(completions)
		}

		one, other := Name(parent, runs[0], spec), Name(parent, runs[1], spec)

		if one == other {
			t.Fatalf("%q and %q are both named %q", runs[0], runs[1], one)
		}
		if errs := validation.IsDNS1123Subdomain(one); len(errs) > 0 {
			t.Fatalf("%q is not an object name: %v", one, errs)
		}
		if errs := validation.IsValidLabelValue(one); len(errs) > 0 {
			t.Fatalf("%q is not a label value: %v", one, errs)
		}
		if suffix, ok := hostnameSuffix(spec); ok {
			if errs := validation.IsDNS1123Label(one + suffix); len(errs) > 0 {
				t.Fatalf("%q is not a hostname: %v", one+suffix, errs)
			}
		}
		if plain := parent + "-" + runs[0]; spec == nil && len(plain) <= 63 && one != plain {
			t.Fatalf("%q was changed to %q without need", plain, one)
		}
		if errs := validation.IsValidLabelValue(LabelValue(runs[0])); len(errs) > 0 {
			t.Fatalf("%q is not a label value: %v", LabelValue(runs[0]), errs)
		}
	})
}

func TestLabelValue(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	cases := map[string]struct{ name, want string }{
		"empty":         {"", ""},
		"with dots":     {"ip-10-0-0-1.ec2.internal", "ip-10-0-0-1.ec2.internal"},
		"63 characters": {a(63), a(63)},
		"64 characters": {a(64), a(52) + "-77qfj7t24d"},
		"cut after '.'": {a(51) + "." + a(20), a(51) + "-mbr5ztykmb"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := LabelValue(c.name); got != c.want {
				t.Errorf("LabelValue(%q) = %q, want %q", c.name, got, c.want)
			}
		})
	}
	if LabelValue(a(80)+"1") == LabelValue(a(80)+"2") {
		t.Error("two long names have the same label value")
	}
}
