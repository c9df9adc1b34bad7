//go:build !linux

package main

// Pods only run on Linux; this lets the module build elsewhere.
func main() {}
