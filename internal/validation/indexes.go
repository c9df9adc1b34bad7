package validation

import (
	"fmt"
	"strconv"
	"strings"
)

// countIndexes counts the completion indexes in a list such as "0,2-4". By the rules of
// batch/v1 it consists of numbers and intervals in ascending order, all below completions.
func countIndexes(list string, completions int32) (int, error) {
	if list == "" {
		return 0, nil
	}
	count, next := 0, 0
	for part := range strings.SplitSeq(list, ",") {
		from, to, interval := strings.Cut(part, "-")
		first, err := parseIndex(from, next, completions)
		if err != nil {
			return 0, err
		}
		last := first
		if interval {
			if last, err = parseIndex(to, first+1, completions); err != nil {
				return 0, err
			}
		}
		count += last - first + 1
		next = last + 1
	}
	return count, nil
}

func parseIndex(text string, least int, completions int32) (int, error) {
	number, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is not an index; write numbers and intervals, such as 0,2-4", text)
	case number < least:
		return 0, fmt.Errorf("index %d is out of order; write indexes in ascending order, each once", number)
	case number >= int(completions):
		return 0, fmt.Errorf("there is no index %d; the highest is %d, one less than completions", number, completions-1)
	}
	return number, nil
}
