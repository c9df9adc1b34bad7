package main

import (
	"math"
	"strings"
)

// The pattern that is generated for a resource.Quantity takes an exponent with a
// fraction, as in 1e1.5. Go does not.
const (
	anyExponent   = `([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+)))`
	wholeExponent = `([eE](\+|-)?[0-9]+)`
)

// decodable has a schema of a quantity, or of a number or name, take only what Go can
// decode. Without admission the API server would store the rest, and an operator that
// cannot decode one object of a list cannot read the list: it would stop for all.
func decodable(schema map[string]any) {
	if is, _ := schema["x-kubernetes-int-or-string"].(bool); !is {
		return
	}
	if pattern, isQuantity := schema["pattern"].(string); isQuantity {
		schema["pattern"] = strings.Replace(pattern, anyExponent, wholeExponent, 1)
		return
	}
	schema["minimum"], schema["maximum"] = math.MinInt32, math.MaxInt32
}
