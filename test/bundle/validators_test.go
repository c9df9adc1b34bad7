package bundle_test

import (
	"testing"

	"github.com/operator-framework/api/pkg/validation"
	validator "github.com/operator-framework/api/pkg/validation/interfaces"
)

// All of validation.AllValidators but two: PackageManifestValidator is about a
// format that bundles have replaced, and MultipleArchitecturesValidator pulls the
// images with a container engine. TestPlatforms and the scorecard's tests look at those.
func TestValidators(t *testing.T) {
	bundle := loadBundle(t)
	for name, v := range map[string]validator.Validator{
		"ClusterServiceVersion":    validation.ClusterServiceVersionValidator,
		"CustomResourceDefinition": validation.CustomResourceDefinitionValidator,
		"Bundle":                   validation.BundleValidator,
		"OperatorHubV2":            validation.OperatorHubV2Validator,
		"StandardCategories":       validation.StandardCategoriesValidator,
		"StandardCapabilities":     validation.StandardCapabilitiesValidator,
		"Object":                   validation.ObjectValidator,
		"OperatorGroup":            validation.OperatorGroupValidator,
		"CommunityOperator":        validation.CommunityOperatorValidator,
		"AlphaDeprecatedAPIs":      validation.AlphaDeprecatedAPIsValidator,
		"GoodPractices":            validation.GoodPracticesValidator,
	} {
		t.Run(name, func(t *testing.T) {
			for _, result := range v.Validate(bundle.ObjectsToValidate()...) {
				for _, err := range result.Errors {
					t.Error(err)
				}
				for _, warning := range result.Warnings {
					t.Error(warning)
				}
			}
		})
	}
}
