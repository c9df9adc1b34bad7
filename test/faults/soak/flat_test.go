package main

import "testing"

func TestFlat(t *testing.T) {
	for name, test := range map[string]struct {
		at   func(minute int) float64
		want bool
	}{
		"the same all the time":        {func(int) float64 { return 60 }, true},
		"grows while it warms up":      {func(m int) float64 { return 20 + float64(min(m, 25)) }, true},
		"a saw":                        {func(m int) float64 { return 60 + float64(m%7) }, true},
		"peaks now and then":           {func(m int) float64 { return 60 + float64(m%20/19)*500 }, true},
		"a leak of 1 MiB in 2 minutes": {func(m int) float64 { return 40 + float64(m)/2 }, false},
		"doubles near the end":         {func(m int) float64 { return 40 + float64(m/80)*40 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			series := make([]float64, 120)
			for i := range series {
				series[i] = test.at(i)
			}
			if second, last, is := flat(series, 8); is != test.want {
				t.Errorf("second quarter %.1f, last %.1f: flat %t, want %t", second, last, is, test.want)
			}
		})
	}
}
