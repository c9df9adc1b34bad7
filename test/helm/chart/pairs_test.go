package chart_test

import (
	"slices"
	"testing"
)

// product is every combination of one choice of each option.
func product(options [][]string) [][]string {
	combinations := [][]string{nil}
	for _, choices := range options {
		var longer [][]string
		for _, combination := range combinations {
			for _, choice := range choices {
				longer = append(longer, append(slices.Clone(combination), choice))
			}
		}
		combinations = longer
	}
	return combinations
}

// pairwise keeps few of the combinations, so that every two choices which are together in
// any are together in one of these: always the one that has the most such pairs to add.
func pairwise(combinations [][]string) [][]string {
	var kept [][]string
	covered := map[[2]string]bool{}
	for {
		var best []string
		most := 0
		for _, combination := range combinations {
			added := 0
			for _, pair := range pairsIn(combination) {
				if !covered[pair] {
					added++
				}
			}
			if added > most {
				best, most = combination, added
			}
		}
		if best == nil {
			return kept
		}
		kept = append(kept, best)
		for _, pair := range pairsIn(best) {
			covered[pair] = true
		}
	}
}

func pairsIn(combination []string) (pairs [][2]string) {
	for i, one := range combination {
		for _, other := range combination[i+1:] {
			pairs = append(pairs, [2]string{one, other})
		}
	}
	return pairs
}

func TestPairwiseHasEveryPair(t *testing.T) {
	all := product(options)
	kept := pairwise(all)
	for i := range options {
		for j := range i {
			for _, one := range options[i] {
				for _, other := range options[j] {
					if !slices.ContainsFunc(kept, func(c []string) bool { return c[i] == one && c[j] == other }) {
						t.Errorf("no combination has both %q and %q", one, other)
					}
				}
			}
		}
	}
	t.Logf("%d of %d combinations", len(kept), len(all))
	if len(kept) > len(all)/10 {
		t.Errorf("%d of %d combinations are too many: it is hardly a choice", len(kept), len(all))
	}
}
