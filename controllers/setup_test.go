package controllers

import "testing"

func TestBackoffIsBounded(t *testing.T) {
	options := Options{Workers: 1}
	flows, daemons := options.ofController(), options.ofController()
	for range 100 {
		if wait := flows.RateLimiter.When(request("ns", "a")); wait > longestBackoff {
			t.Fatalf("waits %s after an error", wait)
		}
	}
	if wait := daemons.RateLimiter.When(request("ns", "a")); wait != firstBackoff {
		t.Errorf("a DaemonJob waits %s for the errors of a JobFlow of its name", wait)
	}
}
