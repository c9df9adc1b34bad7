package status

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// A message is one line of valid text that fits into status.
func FuzzClip(f *testing.F) {
	for _, text := range []string{
		"", "3 of 5 steps succeeded", "two\nlines \t and\r\nblanks", strings.Repeat("x", maxMessage), strings.Repeat("é", maxMessage+1),
		"not UTF-8: \xff\xfe", strings.Repeat("\xf0", maxMessage+1), "\u2028 and \u0085",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := clip(text)
		switch {
		case !utf8.ValidString(got):
			t.Fatalf("%q became %q, which is not UTF-8", text, got)
		case utf8.RuneCountInString(got) > maxMessage:
			t.Fatalf("%d characters", utf8.RuneCountInString(got))
		case strings.ContainsAny(got, "\n\r\u0085\u2028\u2029"):
			t.Fatalf("%q has more than one line", got)
		case clip(got) != got:
			t.Fatalf("%q becomes %q the second time", got, clip(got))
		}
	})
}
