// Scorecard is the program of the image with which "operator-sdk scorecard" tests
// this operator's bundle: it prints the result of one test as JSON.
//
// Usage: scorecard TEST
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/jobflow-operator/jobflow-operator/test/scorecard/internal/checks"
)

// version is that of the operator, set by the linker.
var version = "devel"

const (
	// bundleDir is where operator-sdk unpacks the bundle.
	bundleDir = "/bundle"
	// The two files that the image has beside this program.
	emittedFile   = "/words.json"
	referenceFile = "/status-reference.md"
	// timeout is that of a request.
	timeout = 30 * time.Second
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: scorecard TEST; the tests are", strings.Join(checks.Names(), ", "))
		os.Exit(2)
	}
	// A test that fails is a result, and no failure of this program.
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(run(os.Args[1])); err != nil {
		fmt.Fprintln(os.Stderr, "scorecard:", err)
		os.Exit(1)
	}
}

func run(test string) v1alpha3.TestStatus {
	bundle, err := checks.Load(bundleDir)
	if err != nil {
		return checks.CannotTell(test, err)
	}
	return checks.Run(context.Background(), test, &checks.Environment{
		Bundle:        bundle,
		Connect:       connect,
		Namespace:     os.Getenv("SCORECARD_NAMESPACE"),
		Version:       version,
		EmittedFile:   emittedFile,
		ReferenceFile: referenceFile,
	})
}

func connect(warnings rest.WarningHandler) (dynamic.Interface, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, fmt.Errorf("the test has to run in the cluster: %w", err)
	}
	config.Timeout = timeout
	config.WarningHandler = warnings
	return dynamic.NewForConfig(config)
}
