package main

// environ returns variables in the form NAME=value.
func environ(variables map[string]string) []string {
	var list []string
	for name, value := range variables {
		list = append(list, name+"="+value)
	}
	return list
}

// rightConfig is a configuration without a mistake; each test changes it.
func rightConfig() map[string]string {
	return map[string]string{
		"OKTA_ISSUER":        "https://dev-123456.okta.com/oauth2/default",
		"OKTA_CLIENT_ID":     "0oa1b2c3d4",
		"OKTA_CLIENT_SECRET": "canary-client-secret",
	}
}
