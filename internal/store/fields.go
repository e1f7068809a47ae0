package store

import (
	"fmt"
	"slices"
	"strings"

	"datakit.dev/internal/diag"
	"datakit.dev/internal/spec"
)

// Fields returns every key that a [[confds]] table may hold, for all backends
// together: a key means the same wherever it is used.
func Fields() []spec.Field {
	return slices.Concat(tableFields(), connectionFields(), loginFields(), tlsFields(), placeFields())
}

// Pick returns the named fields of [Fields], in the order of names. It panics
// on a name that is none of them: a backend's list is fixed when it is built.
func Pick(names ...string) []spec.Field {
	all := Fields()
	out := make([]spec.Field, len(names))
	for i, name := range names {
		at := slices.IndexFunc(all, func(f spec.Field) bool { return f.Name == name })
		if at < 0 {
			panic("store: no [[confds]] field " + name)
		}
		out[i] = all[at]
	}
	return out
}

// RootOf returns the root that prefix names, as [Options] wants it: with a
// leading slash and no trailing one. Slashes alone name no root of ours: an
// agent must not read, or need permission for, all that a store holds.
func RootOf(v spec.Values) string {
	prefix := strings.Trim(v.String("prefix"), "/")
	if prefix == "" {
		return defaultRoot
	}
	return "/" + prefix
}

const defaultRoot = "/datakit"

// Decode reads the [[confds]] table n for b. What is wrong with it is in
// problems; the keys that only other backends use are in ignored, and are no
// reason to refuse the table, so that one written for another backend still
// works.
func (b Backend) Decode(n *spec.Node) (v spec.Values, problems, ignored diag.List) {
	s := spec.Schema{Name: "confds", Doc: b.Doc, DocZH: b.DocZH, Fields: tableFields()}
	for _, f := range b.Spec.Fields {
		if _, ok := s.Field(f.Name); !ok {
			s = s.With(f)
		}
	}
	known := Fields()
	own := *n
	own.Keys = nil
	for _, k := range n.Keys {
		_, uses := s.Field(k.Name)
		if !uses && slices.ContainsFunc(known, func(f spec.Field) bool { return f.Name == k.Name }) {
			ignored.Add(k.Pos, "[[confds]]: backend %q does not use %s", b.Name, k.Name)
			continue
		}
		own.Keys = append(own.Keys, k)
	}
	v, problems = s.Decode(&own)
	return v, problems, ignored
}

// Is reports whether name is that of b or one of its aliases.
func (b Backend) Is(name string) bool {
	return strings.EqualFold(name, b.Name) || slices.ContainsFunc(b.Aliases, func(a string) bool { return strings.EqualFold(name, a) })
}

// Find returns the backend called name, or an error that lists those there are.
func Find(backends []Backend, name string) (Backend, error) {
	names := make([]string, len(backends))
	for i, b := range backends {
		if b.Is(name) {
			return b, nil
		}
		names[i] = b.Name
	}
	return Backend{}, fmt.Errorf("no backend %q; there are %s", diag.OneLine(name), strings.Join(names, ", "))
}

func tableFields() []spec.Field {
	return []spec.Field{
		{
			Name: "enable", Type: spec.Bool, Default: true,
			Doc: "Whether this store is read.", DocZH: "是否启用该配置中心。",
		},
		{
			Name: "backend", Type: spec.String, Example: "etcdv3",
			Doc: "Kind of store.", DocZH: "配置中心的类型。",
		},
	}
}

func connectionFields() []spec.Field {
	return []spec.Field{
		{
			Name: "nodes", Type: spec.Strings, Example: []string{"127.0.0.1:2379"},
			Doc: "Addresses of the servers, host:port or URL. The next one is used where one fails.", DocZH: "服务端地址列表，host:port 或 URL；一个不可用时使用下一个。",
		},
		{
			Name: "scheme", Type: spec.String, OneOf: []string{"", "http", "https"},
			Doc: "Scheme of nodes written without one: http, or https where a TLS option is set.", DocZH: "未写协议的节点所用的协议：默认 http，配置了 TLS 时为 https。",
		},
		{
			Name: "prefix", Type: spec.String, Default: defaultRoot,
			Doc: "Root of the keys in the store.", DocZH: "键的根路径。",
		},
		{
			Name: "circle_interval", Type: spec.Int, Default: int64(60), Min: int64(1), Max: int64(86_400), Unit: "seconds",
			Doc: "Time between two looks at a store that has to be polled.", DocZH: "需要轮询的配置中心的轮询间隔。",
		},
	}
}

func loginFields() []spec.Field {
	return []spec.Field{
		{
			Name: "basic_auth", Type: spec.Bool,
			Doc: "Log in with username and password; both are then needed.", DocZH: "使用用户名和密码登录；此时两者必填。",
		},
		{Name: "username", Type: spec.String, Doc: "User name.", DocZH: "用户名。"},
		{Name: "password", Type: spec.String, Secret: true, Doc: "Password.", DocZH: "密码。"},
		{Name: "auth_token", Type: spec.String, Secret: true, Doc: "Access token.", DocZH: "访问令牌。"},
		{
			Name: "auth_type", Type: spec.String, Example: "token",
			Doc: "How to log in to Vault: token, userpass, approle, app-id, kubernetes, cert or github.", DocZH: "Vault 的登录方式：token、userpass、approle、app-id、kubernetes、cert 或 github。",
		},
		{Name: "app_id", Type: spec.String, Doc: "Application for auth_type app-id.", DocZH: "auth_type 为 app-id 时的应用标识。"},
		{Name: "user_id", Type: spec.String, Secret: true, Doc: "User for auth_type app-id.", DocZH: "auth_type 为 app-id 时的用户标识。"},
		{Name: "role_id", Type: spec.String, Doc: "Role for auth_type approle.", DocZH: "auth_type 为 approle 时的角色标识。"},
		{Name: "secret_id", Type: spec.String, Secret: true, Doc: "Secret for auth_type approle.", DocZH: "auth_type 为 approle 时的密钥标识。"},
		{Name: "role", Type: spec.String, Doc: "Role for auth_type kubernetes.", DocZH: "auth_type 为 kubernetes 时的角色。"},
		{Name: "access_key", Type: spec.String, Secret: true, Doc: "Access key of a cloud account.", DocZH: "云账号的 access key。"},
		{Name: "secret_key", Type: spec.String, Secret: true, Doc: "Secret key of a cloud account.", DocZH: "云账号的 secret key。"},
	}
}

func tlsFields() []spec.Field {
	return []spec.Field{
		{
			Name: "client_ca_keys", Type: spec.String, Example: "/etc/datakit/ca.pem",
			Doc: "File of the certificate authorities that may have signed the server's certificate; the system's by default.", DocZH: "用于校验服务端证书的 CA 文件；默认使用系统的 CA。",
		},
		{Name: "client_cert", Type: spec.String, Doc: "File of our certificate.", DocZH: "客户端证书文件。"},
		{
			Name: "client_key", Type: spec.String, Secret: true,
			Doc: "File of the key of client_cert; for Redis also the password.", DocZH: "client_cert 对应的私钥文件；对 Redis 也可以是密码。",
		},
		{
			Name: "client_insecure", Type: spec.Bool,
			Doc: "Take any certificate of the server. Whoever sits between can then read and change everything.", DocZH: "不校验服务端证书；中间人可以读取并篡改所有内容。",
		},
	}
}

func placeFields() []spec.Field {
	return []spec.Field{
		{
			Name: "file", Type: spec.Strings, Example: []string{"/etc/datakit/confd"},
			Doc: "Files and directories to read.", DocZH: "要读取的文件和目录。",
		},
		{
			Name: "filter", Type: spec.String, Example: "datakit.dev/config=true",
			Doc: "For Kubernetes: selector of the labels that our objects bear.", DocZH: "用于 Kubernetes：配置对象的标签选择器。",
		},
		{Name: "path", Type: spec.String, Doc: "Mount path of the login method in Vault.", DocZH: "Vault 登录方式的挂载路径。"},
		{
			Name: "table", Type: spec.String,
			Doc: "DynamoDB table; for Kubernetes the only kind of object that is read, configmaps or secrets.", DocZH: "DynamoDB 表；用于 Kubernetes 时为只读取的对象种类：configmaps 或 secrets。",
		},
		{
			Name: "separator", Type: spec.String,
			Doc: "For Redis: the number of the database, or the text that stands for / in a key.", DocZH: "用于 Redis：数据库编号，或键名中代替 / 的文本。",
		},
		{Name: "region", Type: spec.String, Doc: "AWS region.", DocZH: "AWS 区域。"},
		{
			Name: "confd_namespace", Type: spec.String,
			Doc: "Nacos namespace of the inputs; Kubernetes namespace of all our objects, the pod's own by default.", DocZH: "存放采集器配置的 Nacos 命名空间；用于 Kubernetes 时为全部配置对象所在的命名空间，默认为 Pod 自身的命名空间。",
		},
		{Name: "pipeline_namespace", Type: spec.String, Doc: "Nacos namespace of the scripts.", DocZH: "存放 Pipeline 脚本的 Nacos 命名空间。"},
	}
}
