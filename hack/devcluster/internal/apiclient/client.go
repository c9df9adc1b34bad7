// Package apiclient is the little of a Kubernetes client that devcluster needs
// itself: reading health and nodes, and creating and deleting nodes. Manifests are
// applied with kubectl.
package apiclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jobflow-operator/jobflow-operator/hack/devcluster/internal/pki"
)

// Client speaks to one API server.
type Client struct {
	server string
	http   *http.Client
}

// New returns a client with the named client certificate of the store.
func New(server string, store pki.Store, ca, client string) (*Client, error) {
	caData, err := os.ReadFile(store.Cert(ca))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(caData)
	cert, err := tls.LoadX509KeyPair(store.Cert(client), store.Key(client))
	if err != nil {
		return nil, err
	}
	return &Client{
		server: server,
		http: &http.Client{
			Timeout: 20 * time.Second,
			Transport: &http.Transport{
				TLSClientConfig:     &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}},
				MaxIdleConnsPerHost: 32,
			},
		},
	}, nil
}

// StatusError is a response other than success.
type StatusError struct {
	Code int
	Body string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("API server answers %d: %s", e.Code, strings.TrimSpace(e.Body))
}

func (c *Client) do(ctx context.Context, method, path string, body any) ([]byte, error) {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.server+path, payload)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 {
		return nil, &StatusError{resp.StatusCode, string(data)}
	}
	return data, nil
}

// Ready asks the API server whether it is ready.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.do(ctx, http.MethodGet, "/readyz", nil)
	return err
}

// Node has the properties of a node that devcluster reads.
type Node struct {
	Name  string
	Ready bool
	// Taints are the keys of its taints.
	Taints []string
	// Created is when it registered.
	Created time.Time
}

// Nodes lists the nodes by name.
func (c *Client) Nodes(ctx context.Context) ([]Node, error) {
	data, err := c.do(ctx, http.MethodGet, "/api/v1/nodes?resourceVersion=0", nil)
	if err != nil {
		return nil, err
	}
	var list struct {
		Items []struct {
			Metadata struct {
				Name              string
				CreationTimestamp time.Time
			}
			Spec   struct{ Taints []struct{ Key string } }
			Status struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, err
	}
	var nodes []Node
	for _, item := range list.Items {
		n := Node{Name: item.Metadata.Name, Created: item.Metadata.CreationTimestamp}
		for _, condition := range item.Status.Conditions {
			if condition.Type == "Ready" && condition.Status == "True" {
				n.Ready = true
			}
		}
		for _, t := range item.Spec.Taints {
			n.Taints = append(n.Taints, t.Key)
		}
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return nodes, nil
}

// NodeRenewed is when a node has last said that it lives. Its Ready condition is not
// enough: it stays for a while when the kubelet is gone.
func (c *Client) NodeRenewed(ctx context.Context, name string) (time.Time, error) {
	data, err := c.do(ctx, http.MethodGet, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/"+name, nil)
	if err != nil {
		return time.Time{}, err
	}
	var lease struct{ Spec struct{ RenewTime time.Time } }
	err = json.Unmarshal(data, &lease)
	return lease.Spec.RenewTime, err
}

// NotReadyTaint is put on a node until it is ready, by admission; nothing is
// scheduled before it is taken away.
const NotReadyTaint = "node.kubernetes.io/not-ready"

// CreateNode creates a node object; one that exists is left alone.
func (c *Client) CreateNode(ctx context.Context, node any) error {
	_, err := c.do(ctx, http.MethodPost, "/api/v1/nodes", node)
	e := &StatusError{}
	if errors.As(err, &e) {
		return nil
	}
	return err
}

// DeleteNode deletes a node object. It is no error if the object does not exist.
func (c *Client) DeleteNode(ctx context.Context, name string) error {
	_, err := c.do(ctx, http.MethodDelete, "/api/v1/nodes/"+name, nil)
	e := &StatusError{}
	if errors.As(err, &e) {
		return nil
	}
	return err
}

// DeploymentAvailable reports whether all wanted replicas of a deployment are available.
func (c *Client) DeploymentAvailable(ctx context.Context, namespace, name string) (bool, error) {
	data, err := c.do(ctx, http.MethodGet, "/apis/apps/v1/namespaces/"+namespace+"/deployments/"+name, nil)
	if err != nil {
		return false, err
	}
	var d struct {
		Metadata struct{ Generation int64 }
		Spec     struct{ Replicas int }
		Status   struct {
			ObservedGeneration                 int64
			UpdatedReplicas, AvailableReplicas int
		}
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return false, err
	}
	return d.Status.ObservedGeneration >= d.Metadata.Generation &&
		d.Status.UpdatedReplicas >= d.Spec.Replicas && d.Status.AvailableReplicas >= d.Spec.Replicas, nil
}
