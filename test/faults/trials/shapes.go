package trials

import (
	"net/http"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

const (
	// late is long for an event: much happens meanwhile.
	late = 300 * time.Millisecond
	// window is how long events are gathered before they are coalesced.
	window = 150 * time.Millisecond
)

// delayed passes the events of some resources on late: they come after what happened
// later to others. No resources are all.
func delayed(resources ...string) shape {
	return func(s *stream) {
		applies := len(resources) == 0 || slices.Contains(resources, s.resource)
		// What is read in the meantime waits with the time that it came.
		for f := range buffered(s) {
			if applies && f.Type != string(watch.Bookmark) {
				s.injected.Add(1)
				if !s.pause(late - time.Since(f.came)) {
					return
				}
			}
			if !s.send(f) {
				return
			}
		}
	}
}

// buffered reads a stream as fast as it comes.
func buffered(s *stream) <-chan frame {
	out := make(chan frame, 10_000)
	go func() {
		defer close(out)
		for {
			f, ok := s.next()
			if !ok {
				return
			}
			select {
			case out <- f:
			case <-s.ctx.Done():
				return
			}
		}
	}()
	return out
}

// doubled passes everything on twice.
func doubled(s *stream) {
	for {
		f, ok := s.next()
		if !ok || !s.send(f) {
			return
		}
		if f.Type != string(watch.Bookmark) {
			s.injected.Add(1)
			if !s.send(f) {
				return
			}
		}
	}
}

// silent says nothing for a while, and then everything.
func silent(s *stream) {
	s.injected.Add(1)
	holdUntil(s, time.Now().Add(late))
}

// holdUntil passes on what comes, but not before a time.
func holdUntil(s *stream, until time.Time) {
	held := buffered(s)
	if !s.pause(time.Until(until)) {
		return
	}
	for f := range held {
		if !s.send(f) {
			return
		}
	}
}

// broken ends the watch after every event but the initial ones; nothing is lost, since
// the next one goes on from there.
func broken(s *stream) { cutAfterOne(s, nil) }

// forgotten ends the watch after every event with 410 Gone: the API server does not know
// any more what happened since, and all is listed anew. What happened in between is
// never seen.
func forgotten(s *stream) {
	cutAfterOne(s, &frame{Type: string(watch.Error), Object: failure(http.StatusGone, metav1.StatusReasonExpired)})
}

// cutAfterOne passes on the initial events and one more, and then the last word, if any.
func cutAfterOne(s *stream, lastWord *frame) {
	begins := time.Now()
	for {
		f, ok := s.next()
		if !ok || !s.send(f) {
			return
		}
		// The initial events come at once. A watch that has none goes on from a version.
		if f.Type == string(watch.Bookmark) || f.Type == string(watch.Added) && f.came.Sub(begins) < 50*time.Millisecond {
			continue
		}
		s.injected.Add(1)
		if lastWord != nil {
			s.send(*lastWord)
		}
		return
	}
}

// coalesced gathers events and passes on only the last of each object: a Job that was
// created, ended and deleted meanwhile was never there.
func coalesced(s *stream) {
	in := buffered(s)
	known := map[types.UID]bool{}
	for {
		first, ok := <-in
		if !ok {
			return
		}
		batch := []frame{first}
		for timer := time.After(window); timer != nil; {
			select {
			case f, ok := <-in:
				if !ok {
					timer = nil
					break
				}
				batch = append(batch, f)
				if f.initial {
					timer = nil // whoever waits for the initial events is not to wait
				}
			case <-timer:
				timer = nil
			}
		}
		if !s.sendCoalesced(batch, known) {
			return
		}
	}
}

func (s *stream) sendCoalesced(batch []frame, known map[types.UID]bool) bool {
	last := map[types.UID]int{}
	for i, f := range batch {
		last[f.uid] = i
	}
	for i, f := range batch {
		if f.Type == string(watch.Bookmark) {
			if !s.send(f) {
				return false
			}
			continue
		}
		if last[f.uid] != i {
			s.injected.Add(1)
			continue
		}
		switch {
		case f.Type == string(watch.Deleted) && !known[f.uid]:
			continue
		case f.Type == string(watch.Deleted):
			delete(known, f.uid)
		case known[f.uid]:
			f.Type = string(watch.Modified)
		default:
			f.Type = string(watch.Added)
			known[f.uid] = true
		}
		if !s.send(f) {
			return false
		}
	}
	return true
}
