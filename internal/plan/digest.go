package plan

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"sort"
)

// digestSize is how many bytes of a name's SHA-256 are kept: with 48 bits, two of
// 10,000 names meet with a chance of 1 in 5 million, and 5,000 nodes take 40 KB
// of base64, which an object has room for.
const digestSize = 6

// Digest is the memory of the nodes that Succeeded and are not listed in status.
type Digest []byte

func digestOf(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:digestSize]
}

// Len is the number of names.
func (d Digest) Len() int { return len(d) / digestSize }

// With is the digest with more names; d itself is not changed.
func (d Digest) With(names []string) Digest {
	if len(names) == 0 {
		return d
	}
	keys := slices.Collect(slices.Chunk([]byte(d), digestSize))
	for _, name := range names {
		keys = append(keys, digestOf(name))
	}
	slices.SortFunc(keys, bytes.Compare)
	return slices.Concat(slices.CompactFunc(keys, bytes.Equal)...)
}

// Has says whether the name is remembered.
func (d Digest) Has(name string) bool {
	key := digestOf(name)
	_, found := sort.Find(d.Len(), func(i int) int {
		return bytes.Compare(key, d[i*digestSize:(i+1)*digestSize])
	})
	return found
}
