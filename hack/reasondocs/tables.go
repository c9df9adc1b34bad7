package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
)

// The tables of a page stand between such lines. What follows the colon is a place, or
// "blocking" for all reasons that stall an object, and may go on with ", without NAME".
const (
	beginReasons = "<!-- reasons: "
	endReasons   = "<!-- end of reasons -->\n"
)

// replaceTables replaces the tables of reasons in a page.
func replaceTables(page string, reasons []v1alpha1.Reason) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(page, beginReasons)
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		which, rest, _ := strings.Cut(rest, " -->\n")
		_, rest, found = strings.Cut(rest, endReasons)
		if !found {
			return "", fmt.Errorf("the reasons %q have no end", which)
		}
		fmt.Fprintf(&out, "%s%s -->\n\n%s\n%s", beginReasons, which, table(which, reasons), endReasons)
		page = rest
	}
}

func table(which string, reasons []v1alpha1.Reason) string {
	place, without, _ := strings.Cut(which, ", without ")
	var rows []v1alpha1.Reason
	var also []string
	for _, r := range reasons {
		switch {
		case r.Name == without:
		case place == "blocking" && r.Actor.Blocks(), string(r.Places[0]) == place:
			rows = append(rows, r)
		case slices.Contains(r.Places, v1alpha1.Place(place)):
			also = append(also, "`"+r.Name+"`")
		}
	}
	var b strings.Builder
	switch len(also) {
	case 0:
	case 1:
		fmt.Fprintf(&b, "%s (above) is one of these too.\n\n", also[0])
	default:
		fmt.Fprintf(&b, "%s (above) are among these too.\n\n", strings.Join(also, " and "))
	}
	acts := place == string(v1alpha1.PlaceWaiting)
	advised := slices.ContainsFunc(rows, func(r v1alpha1.Reason) bool { return r.Advice != "" })
	row := func(name, meaning, actor, advice string) {
		cells := []string{name, meaning}
		if acts {
			cells = append(cells, actor)
		}
		if advised {
			cells = append(cells, advice)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	row("Reason", "Meaning", "Who has to act", "What to do")
	row("---", "---", "---", "---")
	for _, r := range rows {
		row("`"+r.Name+"`", r.Meaning, string(r.Actor), r.Advice)
	}
	return b.String()
}
