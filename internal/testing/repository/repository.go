// Package repository finds the files of the repository from any package of the tests.
package repository

import (
	"os"
	"path/filepath"
	"sync"
)

// Root returns the repository's directory. It goes up from the working directory, which is
// that of the package under test.
var Root = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	for err == nil {
		// The Operator SDK's file, which lies nowhere else.
		if _, err := os.Stat(filepath.Join(dir, "PROJECT")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	panic("the working directory is not inside the repository")
})

// Path returns the path of a file or directory of the repository, which is named with
// slashes.
func Path(name string) string { return filepath.Join(Root(), filepath.FromSlash(name)) }
