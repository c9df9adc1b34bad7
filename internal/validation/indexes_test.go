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
		"a":                      `"a" is not an index`,
		"1,":                     `"" is not an index`,
		"-1":                     `"" is not an index`,
		"1-2-3":                  `"2-3" is not an index`,
		"1 ,2":                   `"1 " is not an index`,
		"1-":                     `"" is not an index`,
		"10":                     "the highest is 9",
		"0-10":                   "the highest is 9",
		"2,1":                    "index 1 is out of order",
		"1,1":                    "index 1 is out of order",
		"2-2":                    "index 2 is out of order",
		"1-3,3":                  "index 3 is out of order",
		"4-2":                    "index 2 is out of order",
		"9999999999999999999999": "is not an index",
	} {
		if got, err := countIndexes(list, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %d, %v; want an error with %s", list, got, err, want)
		}
	}
}
