// Runner runs "operator-sdk scorecard" in a cluster that has the operator, and shows
// what came of it. It is not content unless every test of the bundle's configuration
// has run and passed, without a suggestion. Then it spoils a copy of the bundle and
// sees to it that each of this operator's own tests fails by what was spoilt.
//
// Usage: runner [FLAGS] BUNDLE
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jobflow-operator/jobflow-operator/test/scorecard/internal/checks"
)

func main() {
	var s scorecard
	flag.StringVar(&s.program, "operator-sdk", "operator-sdk", "the `program`")
	flag.StringVar(&s.namespace, "namespace", "jobflow-operator-scorecard", "`namespace` of the tests, from config/scorecard/runner")
	flag.StringVar(&s.account, "service-account", "scorecard", "service account of the tests, by `name`")
	flag.StringVar(&s.untar, "untar-image", "", "`image` that unpacks the bundle (default: operator-sdk's own)")
	flag.DurationVar(&s.wait, "wait-time", 5*time.Minute, "longest `time` that one run of the scorecard may take")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(&s, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "runner:", err)
		os.Exit(1)
	}
}

func run(s *scorecard, bundle string) error {
	fmt.Printf("The bundle %s\n", bundle)
	tests, err := checks.Configured(bundle)
	if err != nil {
		return err
	}
	list, err := s.run(bundle, "")
	if err != nil {
		return err
	}
	printTable(os.Stdout, list)
	if err := allPass(tests, list); err != nil {
		return err
	}

	dir, err := os.MkdirTemp("", "spoilt-bundle-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	spoilt := filepath.Join(dir, "bundle")
	fmt.Println("\nA spoilt copy of it, of which every test has to fail")
	if err := spoil(bundle, spoilt); err != nil {
		return err
	}
	if list, err = s.run(spoilt, "suite=jobflow"); err != nil {
		return err
	}
	printTable(os.Stdout, list)
	return allFail(list)
}
