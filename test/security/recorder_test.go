package security_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// access is something that the API server asked its authorizers about.
type access struct {
	group, resource, namespace, name, verb string
	// path is of a request that is about no resource.
	path string
}

func (a access) String() string {
	if a.path != "" {
		return a.verb + " " + a.path
	}
	text := a.verb + " " + a.resource
	if a.group != "" {
		text += "." + a.group
	}
	return strings.TrimSuffix(text+" "+a.namespace+"/"+a.name, " /")
}

// recorder is an authorizer that has no opinion and remembers what one user asked
// for. It is asked before RBAC, and also about what is no request of its own: what
// admission plugins want to know about the user.
type recorder struct {
	user string
	mu   sync.Mutex
	seen sets.Set[access]
}

// newRecorder also writes the file by which the API server finds it.
func newRecorder(t *testing.T, user string) (r *recorder, config string) {
	t.Helper()
	r = &recorder{user: user, seen: sets.New[access]()}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	config = filepath.Join(t.TempDir(), "authorizer")
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"recorder": {Server: server.URL}},
		Contexts:       map[string]*clientcmdapi.Context{"recorder": {Cluster: "recorder"}},
		CurrentContext: "recorder",
	}, config)
	if err != nil {
		t.Fatal(err)
	}
	return r, config
}

// ServeHTTP answers a SubjectAccessReview.
func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var review authorizationv1.SubjectAccessReview
	if err := json.NewDecoder(request.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if review.Spec.User == r.user {
		r.note(&review.Spec)
	}
	review.Status = authorizationv1.SubjectAccessReviewStatus{}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(review); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (r *recorder) note(spec *authorizationv1.SubjectAccessReviewSpec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if about := spec.ResourceAttributes; about != nil {
		resource := about.Resource
		if about.Subresource != "" {
			resource += "/" + about.Subresource
		}
		r.seen.Insert(access{group: about.Group, resource: resource, namespace: about.Namespace, name: about.Name, verb: about.Verb})
		return
	}
	r.seen.Insert(access{path: spec.NonResourceAttributes.Path, verb: spec.NonResourceAttributes.Verb})
}

func (r *recorder) accesses() []access {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.seen.UnsortedList()
	slices.SortFunc(list, func(a, b access) int { return strings.Compare(a.String(), b.String()) })
	return list
}

// grant is one verb of a role on one resource.
type grant struct {
	role string
	// namespace is empty for a ClusterRole.
	namespace, group, resource, name, verb string
}

func (g grant) String() string {
	return g.role + ": " + access{group: g.group, resource: g.resource, namespace: g.namespace, name: g.name, verb: g.verb}.String()
}

func (g grant) covers(a access) bool {
	return a.path == "" && g.group == a.group && g.resource == a.resource && g.verb == a.verb &&
		(g.namespace == "" || g.namespace == a.namespace) &&
		(g.name == "" || g.name == a.name)
}

// split makes grants of rules.
func split(role, namespace string, rules []rbacv1.PolicyRule) []grant {
	var grants []grant
	for _, rule := range rules {
		names := rule.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, name := range names {
					for _, verb := range rule.Verbs {
						grants = append(grants, grant{role: role, namespace: namespace, group: group, resource: resource, name: name, verb: verb})
					}
				}
			}
		}
	}
	return grants
}
