package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLog(t *testing.T) {
	for name, test := range map[string]struct{ events, want string }{
		"a package that passes is a line": {
			`{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.2s\n"}
{"Action":"pass","Package":"p","Elapsed":0.2}`,
			"ok  \tp\t0.2s\n1 passed, 0 failed, 0 skipped\n",
		},
		"a test that fails shows its output": {
			`{"Action":"output","Package":"p","Test":"TestA","Output":"a.go:1: wrong\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"fine\n"}
{"Action":"fail","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"pass","Package":"p","Test":"TestB","Elapsed":0.1}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.2s\n"}
{"Action":"fail","Package":"p","Elapsed":0.2}`,
			"a.go:1: wrong\nFAIL\tp\t0.2s\n1 passed, 1 failed, 0 skipped\n",
		},
		"a package that panics shows what it had": {
			`{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"panic: no\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.2s\n"}
{"Action":"fail","Package":"p","Elapsed":0.2}`,
			"panic: no\nFAIL\tp\t0.2s\n0 passed, 1 failed, 0 skipped\n",
		},
		"what does not compile is shown": {
			`{"ImportPath":"p.test","Action":"build-output","Output":"a.go:1: undefined: x\n"}
{"ImportPath":"p.test","Action":"build-fail"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","FailedBuild":"p.test"}`,
			"a.go:1: undefined: x\nFAIL\tp [build failed]\n0 passed, 1 failed, 0 skipped\n",
		},
		"what is no JSON is passed on": {"go: downloading m v1", "go: downloading m v1\n0 passed, 0 failed, 0 skipped\n"},
		"the slowest tests are listed, and not those that have them as subtests": {
			`{"Action":"pass","Package":"p","Test":"TestA/x","Elapsed":2}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":2.1}
{"Action":"skip","Package":"p","Test":"TestB","Elapsed":0}
{"Action":"pass","Package":"q","Test":"TestC","Elapsed":3}`,
			"slow    3.0s q TestC\nslow    2.0s p TestA/x\n3 passed, 0 failed, 1 skipped\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			l := newLog(&out, time.Now)
			for line := range strings.Lines(test.events) {
				l.add([]byte(strings.TrimSpace(line)))
			}
			l.summarize()
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	now := time.Unix(0, 0)
	var out strings.Builder
	l := newLog(&out, func() time.Time { return now })
	l.add([]byte(`{"Action":"start","Package":"p"}`))
	l.add([]byte(`{"Action":"start","Package":"q"}`))
	l.add([]byte(`{"Action":"run","Package":"q","Test":"TestQ"}`))
	now = now.Add(15 * time.Second)
	l.progress()
	l.add([]byte(`{"Action":"pass","Package":"p"}`))
	out.WriteString("--\n")
	now = now.Add(15 * time.Second)
	l.progress()
	want := "... p: 15s so far, at its start\n... q: 15s so far, at TestQ\n--\n... q: 30s so far, at TestQ\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
