package validation

import (
	"strings"
	"testing"
)

func TestCountIndexes(t *testing.T) {
	for list, want := range map[string]int{
		"":          0,
		"0":         1,
		"0,2":       2,
		"0-1":       2,
		"1-3,5,7-9": 7,
		"0-9":       10,
	} {
		if got, err := countIndexes(list, 10); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", list, got, err, want)
		}
	}
	for list, want := range map[string]string{
		"a":                      `"a" is no index`,
		"1,":                     `"" is no index`,
		"-1":                     `"" is no index`,
		"1-2-3":                  `"2-3" is no index`,
		"1 ,2":                   `"1 " is no index`,
		"1-":                     `"" is no index`,
		"10":                     "the highest is 9",
		"0-10":                   "the highest is 9",
		"2,1":                    "1 has to come earlier",
		"1,1":                    "1 has to come earlier",
		"2-2":                    "2 has to come earlier",
		"1-3,3":                  "3 has to come earlier",
		"4-2":                    "2 has to come earlier",
		"9999999999999999999999": "is no index",
	} {
		if got, err := countIndexes(list, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %d, %v; want an error with %s", list, got, err, want)
		}
	}
}
