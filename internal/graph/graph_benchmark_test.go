package graph

import (
	"fmt"
	"testing"
)

// layered is a flow of n steps, each of which depends on up to ten before it.
func layered(n int) []Step {
	steps := make([]Step, n)
	for i := range steps {
		steps[i].Name = fmt.Sprintf("step-%d", i)
		for d := max(0, i-10); d < i; d++ {
			steps[i].Dependencies = append(steps[i].Dependencies, fmt.Sprintf("step-%d", d))
		}
	}
	return steps
}

func BenchmarkNew(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		steps := layered(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				New(steps)
			}
		})
	}
}

func BenchmarkNewWithCycle(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		steps := layered(n)
		steps[0].Dependencies = []string{steps[n-1].Name}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				New(steps)
			}
		})
	}
}
