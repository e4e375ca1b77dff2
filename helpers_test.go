package main

func lookup(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

// rightConfig is a configuration without a mistake; each test changes it.
func rightConfig() map[string]string {
	return map[string]string{
		"OKTA_ISSUER":        "https://dev-123456.okta.com/oauth2/default",
		"OKTA_CLIENT_ID":     "0oa1b2c3d4",
		"OKTA_CLIENT_SECRET": "canary-client-secret",
	}
}
