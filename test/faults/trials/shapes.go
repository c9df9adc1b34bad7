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
	// late is a long delay for an event: much happens in the meantime.
	late = 300 * time.Millisecond
	// window is how long events are gathered before they are coalesced.
	window = 150 * time.Millisecond
)

// delayed delays the events of some resources, so that they arrive after later events of other
// resources. Without resources it delays all.
func delayed(resources ...string) shape {
	return func(s *stream) {
		applies := len(resources) == 0 || slices.Contains(resources, s.resource)
		// Buffering lets the delay of each frame start when it arrives.
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

// buffered reads a stream as fast as its frames arrive.
func buffered(s *stream) <-chan frame {
	out := make(chan frame, 10_000)
	go func() {
		defer close(out)
		for f := range s.in {
			select {
			case out <- f:
			case <-s.ctx.Done():
				return
			}
		}
	}()
	return out
}

// doubled sends every event twice.
func doubled(s *stream) {
	for f := range s.in {
		if !s.send(f) {
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

// silent sends nothing for a while, and then all events.
func silent(s *stream) {
	s.injected.Add(1)
	holdUntil(s, time.Now().Add(late))
}

// holdUntil holds all events back until a time.
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

// broken ends the watch after each event that is not an initial one. Nothing is lost, since
// the next watch resumes from there.
func broken(s *stream) { cutAfterOne(s, nil) }

// forgotten ends the watch with 410 Gone after each event that is not an initial one: the API
// server no longer has that version, so the operator lists again. It never sees the events in
// between.
func forgotten(s *stream) {
	cutAfterOne(s, &frame{Type: string(watch.Error), Object: failure(http.StatusGone, metav1.StatusReasonExpired, "too old resource version")})
}

// cutAfterOne sends the initial events, one more event, and then lastWord unless it is nil.
func cutAfterOne(s *stream, lastWord *frame) {
	begins := time.Now()
	for f := range s.in {
		if !s.send(f) {
			return
		}
		// Initial events arrive at once. A watch that resumes from a version has none.
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

// coalesced gathers events and sends only the last event of each object: a Job that was
// created and deleted within the window never shows up.
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
					timer = nil // do not delay the end of the initial events
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
