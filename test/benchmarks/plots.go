package main

import (
	"image/color"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

var (
	floorColor    = color.RGBA{R: 150, G: 150, B: 150, A: 255}
	operatorColor = color.RGBA{R: 20, G: 110, B: 190, A: 255}
)

func (p *page) plots(dir string) error {
	if err := p.wallPlot(filepath.Join(dir, "wall.svg")); err != nil {
		return err
	}
	return p.edgePlot(filepath.Join(dir, "edges.svg"))
}

// dashes tell the workloads of a color apart: strokes and gaps in turn.
var dashes = [][]vg.Length{
	nil, {6, 2}, {2, 2}, {8, 2, 2, 2}, {4, 4}, {1, 2}, {10, 4}, {6, 2, 1, 2, 1, 2}, {2, 6},
}

// wallPlot has two bars a workload.
func (p *page) wallPlot(file string) error {
	var floor, operator plotter.Values
	var names []string
	for _, r := range p.Results {
		names = append(names, r.Key)
		floor = append(floor, medianOf(r.Floor, func(m *measurement) float64 { return m.Wall }))
		operator = append(operator, medianOf(r.Operator, func(m *measurement) float64 { return m.Wall }))
	}
	pl := plot.New()
	pl.Title.Text = "Wall time, lower is better"
	pl.Y.Label.Text = "seconds"
	pl.Legend.Top = true
	const width = 10
	for i, series := range []struct {
		name   string
		values plotter.Values
		color  color.Color
	}{{"floor", floor, floorColor}, {"operator", operator, operatorColor}} {
		bars, err := plotter.NewBarChart(series.values, vg.Points(width))
		if err != nil {
			return err
		}
		bars.LineStyle.Width = 0
		bars.Color = series.color
		bars.Offset = vg.Points(width * (float64(i) - 0.5))
		pl.Add(bars)
		pl.Legend.Add(series.name, bars)
	}
	pl.NominalX(names...)
	return pl.Save(16*vg.Centimeter, 8*vg.Centimeter, file)
}

// edgePlot has the distribution of the edges of all workloads that have any.
func (p *page) edgePlot(file string) error {
	pl := plot.New()
	pl.Title.Text = "Edge latency: dependency seen Complete to Job seen created"
	pl.X.Label.Text = "milliseconds"
	pl.Y.Label.Text = "share of edges"
	pl.Legend.Top = false
	for i, r := range p.Results {
		if r.base != nil || len(r.edges(r.Floor)) == 0 {
			continue
		}
		for _, side := range []struct {
			name  string
			runs  []measurement
			color color.RGBA
		}{{"floor", r.Floor, floorColor}, {"operator", r.Operator, operatorColor}} {
			line, err := plotter.NewLine(distribution(r.edges(side.runs)))
			if err != nil {
				return err
			}
			line.Color = side.color
			line.Dashes = dashes[i%len(dashes)]
			pl.Add(line)
			pl.Legend.Add(r.Key+" "+side.name, line)
		}
	}
	// The slowest edges of some workloads are far to the right of all others.
	pl.X.Min, pl.X.Max = 0, 60
	return pl.Save(16*vg.Centimeter, 10*vg.Centimeter, file)
}

// distribution has a point a percentile.
func distribution(sorted []float64) plotter.XYs {
	const points = 100
	xys := make(plotter.XYs, points)
	for i := range points {
		q := float64(i+1) / points
		xys[i] = plotter.XY{X: quantile(sorted, q), Y: q}
	}
	return xys
}
