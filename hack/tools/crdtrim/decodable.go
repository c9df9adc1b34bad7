package main

import (
	"math"
	"strings"
)

// The pattern that controller-gen writes for a resource.Quantity allows an exponent with a
// fraction, as in 1e1.5. Go does not.
const (
	anyExponent   = `([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+)))`
	wholeExponent = `([eE](\+|-)?[0-9]+)`
)

// decodable restricts the schema of a quantity, or of a number or name, to what Go can decode.
// Without admission the API server would store the rest. An operator that cannot decode one
// object of a list cannot read the list, so it would stop working for all objects.
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
