package checks

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/jobflow-operator/jobflow-operator/test/scorecard/internal/words"
)

// wordsDocumented holds the conditions, reasons and events that the code can write
// against docs/status-reference.md, and its conditions against what the CSV tells
// those who see it in a console. The image has both: the code's words are found in
// the sources when it is built.
func wordsDocumented(_ context.Context, env *Environment, r *report) error {
	if version := "v" + env.Bundle.CSV.Spec.Version.String(); version != env.Version {
		return fmt.Errorf("%s: spec.version: the bundle is %s and this image knows the words of %s; in config/scorecard, give the tests the image of the bundle's version",
			env.Bundle.CSVFile, version, env.Version)
	}
	content, err := os.ReadFile(env.EmittedFile)
	if err != nil {
		return fmt.Errorf("the image lacks the code's words: %w", err)
	}
	var emitted []words.Word
	if err := json.Unmarshal(content, &emitted); err != nil {
		return fmt.Errorf("the code's words: %w", err)
	}
	markdown, err := os.ReadFile(env.ReferenceFile)
	if err != nil {
		return fmt.Errorf("the image lacks docs/status-reference.md: %w", err)
	}
	reference, err := words.ParseReference(string(markdown))
	if err != nil {
		return err
	}
	if len(emitted) == 0 {
		return fmt.Errorf("%s has no words", env.EmittedFile)
	}
	r.Errors = append(r.Errors, words.Undocumented(emitted, reference)...)
	r.Suggestions = append(r.Suggestions, words.Unused(emitted, reference)...)
	checkConditions(env.Bundle, reference.Conditions(), r)
	r.logf("%d words", len(emitted))
	return nil
}

// checkConditions looks at the descriptors of status.conditions.
func checkConditions(b *Bundle, conditions []string, r *report) {
	described := false
	for i, crd := range b.CSV.Spec.CustomResourceDefinitions.Owned {
		for j, status := range crd.StatusDescriptors {
			if status.Path != "conditions" {
				continue
			}
			described = true
			at := fmt.Sprintf("%s: spec.customresourcedefinitions.owned[%d].statusDescriptors[%d].description", b.CSVFile, i, j)
			for _, condition := range conditions {
				if !containsWord(status.Description, condition) {
					r.errorf("%s: the condition %s of %s is not named; say in config/manifests/bases what it means", at, condition, crd.Kind)
				}
			}
		}
	}
	if !described {
		r.errorf("%s: spec.customresourcedefinitions.owned[].statusDescriptors: none has the path conditions; describe it in config/manifests/bases", b.CSVFile)
	}
}

func containsWord(text, word string) bool {
	return slices.Contains(strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) }), word)
}
