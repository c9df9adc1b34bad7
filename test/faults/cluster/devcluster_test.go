package cluster

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/jobflow-operator/jobflow-operator/test/testkit/cli"
)

// devcluster's program, and the name of the cluster to harm.
var devclusterProgram, clusterName string

// findDevcluster fails unless there is a cluster with nodes that run containers.
func findDevcluster(ctx context.Context) {
	GinkgoHelper()
	devclusterProgram, clusterName = os.Getenv("DEVCLUSTER"), os.Getenv("CLUSTER")
	if devclusterProgram == "" || clusterName == "" || os.Getenv("KUBECONFIG") == "" {
		Fail("Run these tests with make faults-cluster, which starts a cluster, installs the operator, and sets DEVCLUSTER, CLUSTER and KUBECONFIG.")
	}
	status := devcluster(ctx, "status")
	if !slices.ContainsFunc(strings.Split(status, "\n"), func(line string) bool {
		return slices.Equal(strings.Fields(line), []string{"mode", "real"})
	}) {
		Fail("These tests need a cluster whose nodes run containers:\n" + status)
	}
}

// devcluster runs a verb on the cluster and returns its output.
func devcluster(ctx context.Context, verb string, arguments ...string) string {
	GinkgoHelper()
	return cli.Run(ctx, "", devclusterProgram, append([]string{verb, "--name", clusterName}, arguments...)...).Succeeded().Stdout
}

// processesOf are the pids, on this machine, of the processes in a container.
func processesOf(containerID string) []int {
	GinkgoHelper()
	_, id, found := strings.Cut(containerID, "://")
	Expect(found).To(BeTrue(), "container ID %q", containerID)
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	Expect(err).NotTo(HaveOccurred())
	var pids []int
	for _, file := range files {
		// It may have ended meanwhile.
		content, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(content), id) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		Expect(err).NotTo(HaveOccurred())
		pids = append(pids, pid)
	}
	return pids
}
