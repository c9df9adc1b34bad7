package plan

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"sort"
)

// digestSize is the number of bytes that are kept of a name's SHA-256. With 48 bits, the
// chance that two of 10,000 names collide is 1 in 5 million, and 5,000 nodes take 40 KB of
// base64, for which an object has room.
const digestSize = 6

// Digest records the nodes that Succeeded and are not listed in status.
type Digest []byte

func hashName(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:digestSize]
}

// Len returns the number of names.
func (d Digest) Len() int { return len(d) / digestSize }

// With returns the digest with more names. It does not change d.
func (d Digest) With(names []string) Digest {
	if len(names) == 0 {
		return d
	}
	keys := slices.Collect(slices.Chunk([]byte(d), digestSize))
	for _, name := range names {
		keys = append(keys, hashName(name))
	}
	slices.SortFunc(keys, bytes.Compare)
	return slices.Concat(slices.CompactFunc(keys, bytes.Equal)...)
}

// Has reports whether the digest contains a name.
func (d Digest) Has(name string) bool {
	key := hashName(name)
	_, found := sort.Find(d.Len(), func(i int) int {
		return bytes.Compare(key, d[i*digestSize:(i+1)*digestSize])
	})
	return found
}
