module github.com/jobflow-operator/jobflow-operator

go 1.26.0
