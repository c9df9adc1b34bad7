package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// auditEntry is what is read of a line of the API server's audit log.
type auditEntry struct {
	Verb      string
	UserAgent string
	User      struct{ Username string }
	ObjectRef struct{ Resource, Subresource, Name string }
}

// auditTail reads what is added to the audit log.
type auditTail struct {
	file   *os.File
	reader *bufio.Reader
	half   []byte
}

func newAuditTail(path string) (*auditTail, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	return &auditTail{file: file, reader: bufio.NewReaderSize(file, 1<<20)}, nil
}

// requests counts the operator's requests up to now, by verb and resource. The end is
// found by a request of our own, by the operator's user, that the log shows at last.
func (b *bench) requests(ctx context.Context, tail *auditTail) (map[string]int, error) {
	b.markers++
	marker := fmt.Sprintf("marker-%d", b.markers)
	if _, err := b.operatorUser.CoreV1().Nodes().Get(ctx, marker, metav1.GetOptions{}); err == nil {
		return nil, fmt.Errorf("there is a node %s", marker)
	}
	counts := map[string]int{}
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		for {
			entry, err := tail.next()
			if errors.Is(err, io.EOF) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			switch {
			case entry.User.Username != operatorUser:
			case entry.ObjectRef.Name == marker:
				return true, nil
			default:
				resource := entry.ObjectRef.Resource
				if entry.ObjectRef.Subresource != "" {
					resource += "/" + entry.ObjectRef.Subresource
				}
				counts[entry.Verb+" "+resource]++
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	return counts, nil
}

func (t *auditTail) next() (*auditEntry, error) {
	line, err := t.reader.ReadBytes('\n')
	t.half = append(t.half, line...)
	if err != nil {
		return nil, err
	}
	whole := t.half
	t.half = nil
	entry := &auditEntry{}
	return entry, json.Unmarshal(whole, entry)
}

// byKind sums requests up: writes of Jobs and of our own objects, events, and reads.
func byKind(counts map[string]int) (writes, events, reads int) {
	for request, n := range counts {
		var verb, resource string
		if _, err := fmt.Sscan(request, &verb, &resource); err != nil {
			continue
		}
		switch {
		case verb == "watch":
		case verb == "get" || verb == "list":
			reads += n
		case resource == "events":
			events += n
		default:
			writes += n
		}
	}
	return writes, events, reads
}
