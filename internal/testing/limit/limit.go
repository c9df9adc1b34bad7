// Package limit has the time limit of tests. It has no dependency, so that it serves the
// programs among them as well as the suites.
package limit

import "time"

// Hang is how long a test waits before it takes something for hung. It is far longer than
// anything takes on a slow and busy machine: a shorter limit would test the machine.
const Hang = 2 * time.Minute
