// Package limit defines the time limit of tests. It imports no test framework, so that test
// programs can use it as well as suites.
package limit

import "time"

// Hang is how long a test waits before it considers something hung. It is far longer than
// anything takes on a slow and busy machine: a shorter limit would test the machine.
const Hang = 2 * time.Minute
