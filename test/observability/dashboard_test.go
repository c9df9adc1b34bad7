package observability_test

import (
	"strings"
	"testing"
)

func TestDashboard(t *testing.T) {
	d := loadDashboard(t)
	// Links and upgrades of the dashboard go by it.
	if d.UID != "jobflow-operator" || d.Title == "" {
		t.Errorf("uid %q, title %q", d.UID, d.Title)
	}
	variables := map[string]bool{}
	for _, v := range d.Templating.List {
		variables[v.Type+" "+v.Name] = true
	}
	if !variables["datasource datasource"] || !variables["query namespace"] {
		t.Errorf("the variables are %v", variables)
	}

	ids, cells := map[int]string{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if p.Title == "" || p.ID == 0 || ids[p.ID] != "" {
			t.Errorf("panel %d %q: no title, or its id is that of %q", p.ID, p.Title, ids[p.ID])
		}
		ids[p.ID] = p.Title
		if p.GridPos.W == 0 || p.GridPos.H == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q does not fit: %v", p.Title, p.GridPos)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := cells[[2]int{x, y}]; other != "" {
					t.Fatalf("panel %q lies over %q", p.Title, other)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || p.Datasource == nil || p.Datasource.UID != "${datasource}" {
			t.Errorf("panel %q has no query, or not the data source that was chosen", p.Title)
		}
		for _, target := range p.Targets {
			if !strings.Contains(target.Expr, "$namespace") {
				t.Errorf("panel %q does not heed the namespace: %s", p.Title, target.Expr)
			}
		}
	}
}
