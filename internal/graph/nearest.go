package graph

import "strings"

// Nearest returns the candidate that name is most likely a misspelling of, the
// first if several are equally near, or "" if none is near.
func Nearest(name string, candidates []string) string {
	if len(name) > longestCompared {
		return ""
	}
	// Allow one mistake, and one more for every four characters, but fewer than the name
	// has characters.
	limit := min(1+len(name)/4, len(name)-1)
	folded := strings.ToLower(name)
	best := ""
	for _, candidate := range candidates {
		if len(candidate) > longestCompared {
			continue
		}
		if distance, near := editDistance(folded, strings.ToLower(candidate), limit); near {
			best, limit = candidate, distance-1
			if limit < 0 {
				break
			}
		}
	}
	return best
}

const (
	// longestCompared is the length of the longest name that Kubernetes allows.
	longestCompared = 253
	// mostSearches bounds the work for a list in which every name is misspelt: users fix
	// the first few and then see the rest.
	mostSearches = 20
)

// Search finds the nearest candidate for unknown names, once for each name and only for the
// first few.
type Search struct {
	candidates func() []string
	searched   map[string]string
}

// NewSearch returns a Search among the candidates, which it requests only if needed.
func NewSearch(candidates func() []string) *Search {
	return &Search{candidates: candidates, searched: map[string]string{}}
}

// Nearest returns what the function Nearest does, or "" after the first few names.
func (s *Search) Nearest(name string) string {
	nearest, known := s.searched[name]
	if !known && len(s.searched) < mostSearches {
		nearest = Nearest(name, s.candidates())
		s.searched[name] = nearest
	}
	return nearest
}

// editDistance is the Levenshtein distance, with two swapped neighbors counted as one
// mistake. It gives up as soon as the distance must be above limit.
func editDistance(a, b string, limit int) (distance int, within bool) {
	if max(len(a)-len(b), len(b)-len(a)) > limit {
		return 0, false
	}
	before := make([]int, len(b)+1) // the row before the previous one
	previous := make([]int, len(b)+1)
	current := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		smallest := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
			smallest = min(smallest, current[j])
		}
		// A swap refers to the row before the previous one, so one row above the limit
		// does not end the search; two rows do.
		if smallest > limit+1 {
			return 0, false
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)], previous[len(b)] <= limit
}
