package validation

import (
	"fmt"
	"strconv"
	"strings"
)

// countIndexes counts the completion indexes of a list such as "0,2-4", by the rules of
// batch/v1: numbers and intervals, in ascending order, all below completions. The error
// says what is wrong with it.
func countIndexes(list string, completions int32) (int, error) {
	if list == "" {
		return 0, nil
	}
	count, next := 0, 0
	for part := range strings.SplitSeq(list, ",") {
		from, to, interval := strings.Cut(part, "-")
		first, err := index(from, next, completions)
		if err != nil {
			return 0, err
		}
		last := first
		if interval {
			if last, err = index(to, first+1, completions); err != nil {
				return 0, err
			}
		}
		count += last - first + 1
		next = last + 1
	}
	return count, nil
}

func index(text string, least int, completions int32) (int, error) {
	number, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no index; write numbers and intervals, such as 0,2-4", text)
	case number < least:
		return 0, fmt.Errorf("%d has to come earlier; write indexes in ascending order, each once", number)
	case number >= int(completions):
		return 0, fmt.Errorf("there is no index %d; the highest is %d, one less than completions", number, completions-1)
	}
	return number, nil
}
