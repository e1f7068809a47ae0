package point

import (
	"datakit.dev/internal/pipeline/fn"
	"datakit.dev/internal/point"
)

func drop() fn.Func {
	return fn.Func{
		Name:   "drop",
		Params: []fn.Param{{Name: "ignored", Rest: true}},
		Doc: fn.Text{
			En: "Marks the point to be thrown away. The script goes on.",
			Zh: "标记丢弃该数据点。脚本继续执行。",
		},
		Examples: []fn.Example{{
			Script: "if level == \"debug\" { drop() }\nadd_key(seen, true)",
			In:     map[string]any{"level": "debug"},
			Out:    map[string]any{"seen": true},
		}},
		Bind: func(*fn.Call) (fn.Eval, error) {
			return func(r *fn.Run) (point.Value, error) {
				r.Dropped = true
				return point.NilOf(), nil
			}, nil
		},
	}
}

func exit() fn.Func {
	return fn.Func{
		Name:   "exit",
		Params: []fn.Param{{Name: "ignored", Rest: true}},
		Doc: fn.Text{
			En: "Ends the script. In a script that another one uses it ends only that one.",
			Zh: "结束脚本。在被 use() 引用的脚本中只结束该脚本。",
		},
		Examples: []fn.Example{{
			Script: "add_key(a, 1)\nexit()\nadd_key(b, 2)",
			Out:    map[string]any{"a": int64(1), "b": nil},
		}},
		Bind: func(*fn.Call) (fn.Eval, error) {
			return func(r *fn.Run) (point.Value, error) {
				r.Exited = true
				return point.NilOf(), nil
			}, nil
		},
	}
}

func use() fn.Func {
	return fn.Func{
		Name:   "use",
		Params: []fn.Param{{Name: "name"}},
		Doc: fn.Text{
			En: "Runs another script of the same namespace and category on this point, with variables of its own.",
			Zh: "在当前数据点上运行同一命名空间、同一类别下的另一个脚本，变量互相独立。",
		},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			name, err := c.Literal(0)
			if err != nil {
				return nil, err
			}
			return c.Use(name)
		},
	}
}

func setopt() fn.Func {
	return fn.Func{
		Name:   "setopt",
		Params: []fn.Param{{Name: "status_mapping", Named: true, Optional: true}},
		Match:  fn.ByName,
		Doc: fn.Text{
			En: "Sets an option of the script: status_mapping=false leaves the status of a log as it is.",
			Zh: "设置脚本选项：status_mapping=false 时不改写日志的 status。",
		},
		Bind: func(c *fn.Call) (fn.Eval, error) {
			value := c.Default(0, point.NilOf())
			return func(r *fn.Run) (point.Value, error) {
				v, err := value(r)
				if err == nil && v.Kind() == point.Bool {
					r.KeepStatus = !v.Bool()
				}
				return point.NilOf(), err
			}, nil
		},
	}
}
