// Package misuse gives every property of our CRDs every kind of value that somebody
// might, right or wrong, and looks at what people are told. It follows Acto (SOSP '23):
// the values come from the schema, each is applied, changed to, and changed back.
//
//	schema.go   the properties of a CRD, from its schema
//	values.go   the values that a property is given
//	edit.go     an object with such a value in it
//	kinds.go    the table: a row is a kind, or a part of one, with the object to start from
//	cluster.go  the API server, the webhooks and the operator
//	view.go     what people see of an object, and its Jobs
//	native.go   what the API server says of a native Job with the same spec
//	trial.go    one value: apply, change, change back
//	verdict.go  what has to hold
//
// What has to hold: nothing panics; after each change the operator goes quiet; a value
// that is stored is in the Jobs, exactly as it would be in a native Job, or a message
// says why it is not, and a value that is refused is refused by name; and once it is
// undone everything is as if it had never been.
package misuse
