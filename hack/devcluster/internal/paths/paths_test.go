package paths

import (
	"path/filepath"
	"testing"
)

func TestStateOfAName(t *testing.T) {
	root := t.TempDir()
	t.Setenv(StateEnv, root)
	if got, err := State("dev"); err != nil || got != filepath.Join(root, "dev") {
		t.Errorf("dev: %q, %v", got, err)
	}
	for _, bad := range []string{"", ".", "..", "../x", "a/b", "-a", "A", "a_b", "0123456789012345678901234567890"} {
		if got, err := State(bad); err == nil {
			t.Errorf("%q was taken, as %q", bad, got)
		}
	}
}

func TestCacheFollowsTheEnvironment(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/xdg")
	t.Setenv(CacheEnv, "")
	if got, _ := Cache(); got != filepath.Join("/xdg", appDir) {
		t.Errorf("XDG_CACHE_HOME: %q", got)
	}
	t.Setenv(CacheEnv, "/mine")
	if got, _ := Cache(); got != filepath.Join("/mine", appDir) {
		t.Errorf("%s: %q", CacheEnv, got)
	}
}

func TestSourceIsFoundFromHere(t *testing.T) {
	got, err := Source()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := filepath.Abs("../..")
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	t.Setenv(SourceEnv, t.TempDir())
	if _, err := Source(); err == nil {
		t.Error("a directory without the sources was taken")
	}
}
