package process

import "testing"

func TestParseStat(t *testing.T) {
	for name, stat := range map[string]string{
		"plain":                  "42 (etcd) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 8 0 777 1 2 3",
		"spaces and parentheses": "42 (a) b (c) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 8 0 777 1 2 3",
	} {
		t.Run(name, func(t *testing.T) {
			state, ticks, err := parseStat(stat)
			if err != nil || state != "S" || ticks != "777" {
				t.Errorf("got %q, %q, %v", state, ticks, err)
			}
		})
	}
	if _, _, err := parseStat("garbage"); err == nil {
		t.Error("garbage was read")
	}
}
