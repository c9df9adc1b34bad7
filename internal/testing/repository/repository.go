// Package repository finds files of the repository, for tests in any package.
package repository

import (
	"os"
	"path/filepath"
	"sync"
)

// Root returns the directory of the repository. It searches upwards from the working
// directory, which go test sets to the directory of the package.
var Root = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	for err == nil {
		// Only the root of the repository has the Operator SDK's file PROJECT.
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

// Path returns the path of a file or directory of the repository. The name is relative to the
// root and has slashes.
func Path(name string) string { return filepath.Join(Root(), filepath.FromSlash(name)) }
