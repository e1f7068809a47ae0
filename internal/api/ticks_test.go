package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"datakit.dev/internal/api"
	"datakit.dev/internal/status"
	"datakit.dev/internal/status/changes"
)
