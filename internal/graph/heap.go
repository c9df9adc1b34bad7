package graph

// indexHeap is a heap with the smallest index on top. container/heap would box every int
// in an interface.
type indexHeap []int

func (h *indexHeap) push(i int) {
	*h = append(*h, i)
	s := *h
	for child := len(s) - 1; child > 0; {
		parent := (child - 1) / 2
		if s[parent] <= s[child] {
			return
		}
		s[parent], s[child] = s[child], s[parent]
		child = parent
	}
}

func (h *indexHeap) pop() int {
	s := *h
	top, last := s[0], len(s)-1
	s[0] = s[last]
	s = s[:last]
	*h = s
	for parent := 0; ; {
		child := 2*parent + 1
		if child >= len(s) {
			return top
		}
		if right := child + 1; right < len(s) && s[right] < s[child] {
			child = right
		}
		if s[parent] <= s[child] {
			return top
		}
		s[parent], s[child] = s[child], s[parent]
		parent = child
	}
}
