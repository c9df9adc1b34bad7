package controllers

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestCreateFailuresAreKeptForEachParent(t *testing.T) {
	kept := createFailures{byParent: map[types.UID]*keptFailures{}}
	at := time.Unix(1000, 0)
	f := kept.get("f", at)
	if kept.get("g", at) == f || kept.get("f", at.Add(keepFailures-1)) != f {
		t.Error("the failures of one parent are another's, or not found again")
	}
	kept.get("h", at.Add(keepFailures))
	if len(kept.byParent) != 2 {
		t.Errorf("kept: %v", kept.byParent)
	}
}
