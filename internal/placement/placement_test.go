package placement

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/jobflow-operator/jobflow-operator/api/v1alpha1"
	"github.com/jobflow-operator/jobflow-operator/internal/jobs"
)

func node(name string, change ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}}}
	for _, f := range change {
		f(n)
	}
	return n
}

func withDisk(value string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Labels["disk"] = value }
}

func tainted(key, value string, effect corev1.TaintEffect) func(*corev1.Node) {
	return func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: effect})
	}
}

func cordoned(n *corev1.Node) { n.Spec.Unschedulable = true }

func deleting(n *corev1.Node) {
	now := metav1.Unix(1, 0)
	n.DeletionTimestamp = &now
}

func terms(terms ...corev1.NodeSelectorTerm) func(*v1alpha1.DaemonJob) {
	return func(dj *v1alpha1.DaemonJob) {
		dj.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms},
		}}
	}
}

func disk(op corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "disk", Operator: op, Values: values}}}
}

func field(op corev1.NodeSelectorOperator, name string) corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{{Key: "metadata.name", Operator: op, Values: []string{name}}}}
}

func tolerating(t corev1.Toleration) func(*v1alpha1.DaemonJob) {
	return func(dj *v1alpha1.DaemonJob) {
		dj.Spec.Template.Spec.Tolerations = append(dj.Spec.Template.Spec.Tolerations, t)
	}
}

func excluding(list string) func(*v1alpha1.DaemonJob) {
	return func(dj *v1alpha1.DaemonJob) { dj.Spec.ExcludeNodeList = list }
}

func selectingSSD(dj *v1alpha1.DaemonJob) {
	dj.Spec.Template.Spec.NodeSelector = map[string]string{"disk": "ssd"}
}

func onNode(name string) func(*v1alpha1.DaemonJob) {
	return func(dj *v1alpha1.DaemonJob) { dj.Spec.Template.Spec.NodeName = name }
}

func hostNetwork(dj *v1alpha1.DaemonJob) { dj.Spec.Template.Spec.HostNetwork = true }

func run(names ...string) []Decision {
	var decisions []Decision
	for _, name := range names {
		decisions = append(decisions, Decision{Node: name, Run: true})
	}
	return decisions
}

func leftOut(name, taint string) Decision {
	return Decision{Node: name, Reason: "UntoleratedTaint", Message: "the pod template does not tolerate the taint " + taint}
}

func TestDecide(t *testing.T) {
	const (
		noSchedule = corev1.TaintEffectNoSchedule
		noExecute  = corev1.TaintEffectNoExecute
		prefer     = corev1.TaintEffectPreferNoSchedule
	)
	type daemonJob = []func(*v1alpha1.DaemonJob)
	type nodes = []*corev1.Node
	plain := nodes{node("a"), node("b"), node("c")}
	disks := nodes{node("a", withDisk("ssd")), node("b", withDisk("hdd")), node("c")}

	cases := map[string]struct {
		dj    daemonJob
		nodes nodes
		want  []Decision
	}{
		"no nodes": {nil, nil, nil},
		"every node, sorted by name": {
			nil, nodes{node("c"), node("a"), node("b")}, run("a", "b", "c"),
		},

		"excluded": {
			daemonJob{excluding("a, c")}, plain, run("b"),
		},
		"all excluded": {
			daemonJob{excluding("a,b,c,unknown")}, plain, nil,
		},
		"an excluded node is not named for its taint": {
			daemonJob{excluding("a")}, nodes{node("a", tainted("gpu", "", noSchedule))}, nil,
		},

		"node selector": {
			daemonJob{selectingSSD}, disks, run("a"),
		},
		"affinity In": {
			daemonJob{terms(disk(corev1.NodeSelectorOpIn, "hdd", "tape"))}, disks, run("b"),
		},
		"affinity NotIn takes a node without the label": {
			daemonJob{terms(disk(corev1.NodeSelectorOpNotIn, "ssd"))}, disks, run("b", "c"),
		},
		"one term of several is enough": {
			daemonJob{terms(disk(corev1.NodeSelectorOpIn, "ssd"), field(corev1.NodeSelectorOpIn, "c"))}, disks, run("a", "c"),
		},
		"affinity by name": {
			daemonJob{terms(field(corev1.NodeSelectorOpNotIn, "b"))}, plain, run("a", "c"),
		},
		"node selector and affinity": {
			daemonJob{selectingSSD, terms(field(corev1.NodeSelectorOpIn, "b"))}, disks, nil,
		},
		"a term that selects nothing": {
			daemonJob{terms(corev1.NodeSelectorTerm{})}, plain, nil,
		},
		"an affinity without terms": {
			daemonJob{terms()}, plain, nil,
		},
		"an affinity that cannot be parsed": {
			daemonJob{terms(disk("Around", "ssd"))}, disks, nil,
		},
		"a term that cannot be parsed and one that can": {
			daemonJob{terms(disk("Around", "ssd"), disk(corev1.NodeSelectorOpExists))}, disks, run("a", "b"),
		},
		"preferences rule nothing out": {
			daemonJob{func(dj *v1alpha1.DaemonJob) {
				dj.Spec.Template.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
					PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{
						{Weight: 1, Preference: disk(corev1.NodeSelectorOpIn, "ssd")},
					},
				}}
			}},
			disks, run("a", "b", "c"),
		},
		"a node ruled out by affinity is not named for its taint": {
			daemonJob{selectingSSD}, nodes{node("a", tainted("gpu", "", noSchedule))}, nil,
		},

		"nodeName": {
			daemonJob{onNode("b")}, plain, run("b"),
		},
		"nodeName of no node": {
			daemonJob{onNode("d")}, plain, nil,
		},
		"nodeName that the selector rules out": {
			daemonJob{onNode("b"), selectingSSD}, disks, nil,
		},
		"nodeName that one term of the affinity takes": {
			daemonJob{onNode("b"), terms(disk(corev1.NodeSelectorOpIn, "ssd"), disk(corev1.NodeSelectorOpIn, "hdd"))}, disks, run("b"),
		},
		"nodeName does not bypass taints": {
			daemonJob{onNode("b")}, nodes{node("b", tainted("gpu", "", noSchedule))}, []Decision{leftOut("b", "gpu:NoSchedule")},
		},

		"NoSchedule": {
			nil, nodes{node("a", tainted("gpu", "yes", noSchedule)), node("b")},
			[]Decision{leftOut("a", "gpu=yes:NoSchedule"), run("b")[0]},
		},
		"NoExecute": {
			nil, nodes{node("a", tainted("gpu", "yes", noExecute))}, []Decision{leftOut("a", "gpu=yes:NoExecute")},
		},
		"PreferNoSchedule": {
			nil, nodes{node("a", tainted("gpu", "yes", prefer))}, run("a"),
		},
		"the first taint that is not tolerated is named": {
			daemonJob{tolerating(corev1.Toleration{Key: "gpu", Operator: corev1.TolerationOpExists})},
			nodes{node("a", tainted("gpu", "", noSchedule), tainted("soft", "", prefer), tainted("team", "x", noSchedule), tainted("last", "", noExecute))},
			[]Decision{leftOut("a", "team=x:NoSchedule")},
		},
		"toleration that is equal": {
			daemonJob{tolerating(corev1.Toleration{Key: "gpu", Value: "yes", Effect: noSchedule})},
			nodes{node("a", tainted("gpu", "yes", noSchedule))}, run("a"),
		},
		"toleration of another value": {
			daemonJob{tolerating(corev1.Toleration{Key: "gpu", Operator: corev1.TolerationOpEqual, Value: "no"})},
			nodes{node("a", tainted("gpu", "yes", noSchedule))}, []Decision{leftOut("a", "gpu=yes:NoSchedule")},
		},
		"toleration of another effect": {
			daemonJob{tolerating(corev1.Toleration{Key: "gpu", Operator: corev1.TolerationOpExists, Effect: noExecute})},
			nodes{node("a", tainted("gpu", "yes", noSchedule))}, []Decision{leftOut("a", "gpu=yes:NoSchedule")},
		},
		"toleration of everything": {
			daemonJob{tolerating(corev1.Toleration{Operator: corev1.TolerationOpExists})},
			nodes{node("a", tainted("gpu", "yes", noSchedule), tainted("team", "x", noExecute))}, run("a"),
		},
		"toleration by comparison": {
			daemonJob{tolerating(corev1.Toleration{Key: "tier", Operator: corev1.TolerationOpGt, Value: "5"})},
			nodes{node("a", tainted("tier", "6", noSchedule)), node("b", tainted("tier", "4", noSchedule))},
			[]Decision{run("a")[0], leftOut("b", "tier=4:NoSchedule")},
		},

		"cordoned": {
			nil, nodes{node("a", cordoned, tainted(corev1.TaintNodeUnschedulable, "", noSchedule))}, run("a"),
		},
		"cordoned, without the taint so far": {
			nil, nodes{node("a", cordoned)}, run("a"),
		},
		"short of resources": {
			nil,
			nodes{node("a", tainted(corev1.TaintNodeDiskPressure, "", noSchedule), tainted(corev1.TaintNodeMemoryPressure, "", noSchedule), tainted(corev1.TaintNodePIDPressure, "", noSchedule))},
			run("a"),
		},
		"unreachable, evicting": {
			nil, nodes{node("a", tainted(corev1.TaintNodeUnreachable, "", noExecute), tainted(corev1.TaintNodeNotReady, "", noExecute))}, run("a"),
		},
		"not ready, as for a DaemonSet": {
			nil, nodes{node("a", tainted(corev1.TaintNodeNotReady, "", noSchedule))},
			[]Decision{leftOut("a", "node.kubernetes.io/not-ready:NoSchedule")},
		},
		"no network": {
			nil, nodes{node("a", tainted(corev1.TaintNodeNetworkUnavailable, "", noSchedule))},
			[]Decision{leftOut("a", "node.kubernetes.io/network-unavailable:NoSchedule")},
		},
		"no network, pods on the host's": {
			daemonJob{hostNetwork}, nodes{node("a", tainted(corev1.TaintNodeNetworkUnavailable, "", noSchedule))}, run("a"),
		},
		"being deleted, as for a DaemonSet": {
			nil, nodes{node("a", deleting)}, run("a"),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dj := &v1alpha1.DaemonJob{ObjectMeta: metav1.ObjectMeta{Name: "dj"}}
			for _, f := range c.dj {
				f(dj)
			}
			before := dj.DeepCopy()

			got := Decide(dj, c.nodes)

			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Decide() (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, dj); diff != "" {
				t.Errorf("the DaemonJob was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// The Job that is built for a selected node must be able to run there.
func TestJobOfASelectedNodeFitsIt(t *testing.T) {
	dj := &v1alpha1.DaemonJob{ObjectMeta: metav1.ObjectMeta{Name: "dj"}}
	terms(disk(corev1.NodeSelectorOpIn, "ssd"), field(corev1.NodeSelectorOpIn, "c"))(dj)
	cluster := []*corev1.Node{node("a", withDisk("ssd")), node("b"), node("c", tainted(corev1.TaintNodeUnschedulable, "", corev1.TaintEffectNoSchedule))}

	for _, decision := range Decide(dj, cluster) {
		built := dj.DeepCopy()
		built.Spec.JobSpec = jobs.ForNode(dj, decision.Node).Spec
		if diff := cmp.Diff(run(decision.Node), Decide(built, cluster)); diff != "" {
			t.Errorf("nodes of the Job for %s (-want +got):\n%s", decision.Node, diff)
		}
	}
}

func TestExcluded(t *testing.T) {
	cases := map[string]struct {
		list string
		want sets.Set[string]
	}{
		"empty":                        {"", sets.New[string]()},
		"one":                          {"node1", sets.New("node1")},
		"blank after the comma":        {"node1, node2", sets.New("node1", "node2")},
		"blanks everywhere":            {"\t node1 ,\n  node2\r\n, node3 ", sets.New("node1", "node2", "node3")},
		"empty entries":                {",node1,, ,node2,", sets.New("node1", "node2")},
		"only commas and blanks":       {" ,\t,\n", sets.New[string]()},
		"twice":                        {"node1,node1", sets.New("node1")},
		"dots":                         {"ip-10-0-0-1.ec2.internal", sets.New("ip-10-0-0-1.ec2.internal")},
		"blanks do not separate names": {"node1 node2", sets.New("node1 node2")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Excluded(c.list)); diff != "" {
				t.Errorf("Excluded(%q) (-want +got):\n%s", c.list, diff)
			}
		})
	}
}

func BenchmarkDecide(b *testing.B) {
	dj := &v1alpha1.DaemonJob{}
	terms(disk(corev1.NodeSelectorOpIn, "ssd"))(dj)
	var cluster []*corev1.Node
	for i := range 5000 {
		cluster = append(cluster, node(fmt.Sprintf("node-%d", i), withDisk("ssd"), tainted("gpu", "", corev1.TaintEffectPreferNoSchedule)))
	}
	for b.Loop() {
		Decide(dj, cluster)
	}
}
