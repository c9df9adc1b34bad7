package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// restPerLook is how many times as long as it took to decide what to do for an
	// object the next look at it waits.
	restPerLook = 2
	// longestPause is the most that this comes to: looks may also wait for the API server.
	longestPause = 100 * time.Millisecond
	// shortLook is what needs no rest.
	shortLook = time.Millisecond
)

// pace keeps the looks at a large object apart. Each costs some milliseconds where
// there are 1,000 steps, and every change of a Job or pod asks for one: of those that
// come within a few milliseconds one look sees all.
//
// What counts is the shorter of the last two looks: one alone may have waited for a core,
// 40 ms where it takes 0.2 ms of it, and a step that is due is not to wait for that.
//
// Its times are those of time.Now, which runs on whatever is done to the machine's clock.
type pace struct {
	mu   sync.Mutex
	last map[types.NamespacedName]look
}

// look is the last one at an object that was not short, and how long the one before took.
type look struct {
	took, before time.Duration
	done         time.Time
}

func newPace() *pace { return &pace{last: map[types.NamespacedName]look{}} }

// wait is how long an object has to wait for its next look.
func (p *pace) wait(object types.NamespacedName, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, found := p.last[object]
	if !found {
		return 0
	}
	return min(restPerLook*min(last.took, last.before), longestPause) - now.Sub(last.done)
}

// looked says how long a look took.
func (p *pace) looked(object types.NamespacedName, began, done time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if took := done.Sub(began); took >= shortLook {
		p.last[object] = look{took: took, before: p.last[object].took, done: done}
	} else {
		delete(p.last, object)
	}
}

// forget is for an object that is gone.
func (p *pace) forget(object types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.last, object)
}
