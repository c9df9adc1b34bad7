// Package harness runs the operator against a real API server with faults in between,
// plays the Job controller and the garbage collector, and keeps a record of what came
// of it. A test is made of these parts:
//
//	server, err := harness.StartAPIServer()                         // kube-apiserver, etcd, our CRDs; KUBEBUILDER_ASSETS
//	namespace, err := server.NewNamespace(ctx)
//	record, err := harness.NewRecord(ctx, server.Client, namespace) // everything that is written from now on
//	player := harness.Play(ctx, server.Client, record, harness.PlayerOptions{})
//	operator, err := server.StartOperator(harness.OperatorOptions{Namespace: namespace})
//	err = record.Wait(ctx, func() bool { return record.Job(key) != nil })
//	operator.Kill()                                                 // or Stop, which ends it in peace
//
// Each operator is the real controllers.Setup on a manager as main.go makes it, in this
// process. It has caches, memory and a connection of its own, so that many of them can
// run side by side, one in each namespace, and one can be killed while others go on.
package harness
