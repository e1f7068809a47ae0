package console

// words are the texts of the page in one language.
type words struct {
	Lang, Title, Skip                                     string
	Converged, NotConverged, Generation, Since, AsOf, UTC string
	Denied, DeniedHow, Missing, Home                      string
	Errors, Stores, Keys, Units, Scripts, Outputs         string
	Changes, NoChanges, AllApplied, None, More            string
	Backend, State, Key, Revision, ReadAt, Address, Error string
	Unit, Origin, Starts, Updates, Gathers, Points        string
	Name, Runs, Queue, Written, Dropped, Store            string
	Difference, Machine                                   string
}

func english() words {
	return words{
		Lang: "en", Title: "DataKit", Skip: "Skip to the content",
		Converged: "Converged: what runs is what is asked for", NotConverged: "Not converged: what runs is not all that is asked for",
		Generation: "generation", Since: "up since", AsOf: "as of", UTC: "UTC",
		Denied: "This page is for who is let in", DeniedHow: "There is a token, or you are on another machine. Log in over POST /v1/console/login, or come through a tunnel:",
		Missing: "There is no such page", Home: "To the status",
		Errors: "What is wrong with the agent", Stores: "Stores", Keys: "Keys that are not simply applied", Units: "Units", Scripts: "Scripts", Outputs: "Outputs",
		Changes: "Last changes", NoChanges: "Nothing has changed yet.", AllApplied: "Every key is applied.", None: "None.", More: "more; GET /v1/status has all",
		Backend: "Backend", State: "State", Key: "Key", Revision: "Revision", ReadAt: "Read at", Address: "Addresses", Error: "Error",
		Unit: "Unit", Origin: "Origin", Starts: "Starts", Updates: "Updates", Gathers: "Gathers", Points: "Points",
		Name: "Name", Runs: "Runs", Queue: "Queued", Written: "Written", Dropped: "Dropped", Store: "Store",
		Difference: "Difference", Machine: "For programs",
	}
}

func chinese() words {
	return words{
		Lang: "zh-CN", Title: "DataKit", Skip: "跳到正文",
		Converged: "已收敛：运行的正是所要求的", NotConverged: "未收敛：运行的与所要求的尚不一致",
		Generation: "generation", Since: "启动于", AsOf: "截至", UTC: "UTC",
		Denied: "此页面需要授权", DeniedHow: "已设置令牌，或您不在本机。请通过 POST /v1/console/login 登录，或使用隧道访问：",
		Missing: "没有这个页面", Home: "回到状态页",
		Errors: "Agent 自身的问题", Stores: "配置中心", Keys: "未直接生效的键", Units: "采集单元", Scripts: "脚本", Outputs: "输出",
		Changes: "最近变更", NoChanges: "尚无变更。", AllApplied: "所有键均已生效。", None: "无。", More: "条未显示；GET /v1/status 有全部内容",
		Backend: "类型", State: "状态", Key: "键", Revision: "修订版本", ReadAt: "读取时间", Address: "地址", Error: "错误",
		Unit: "单元", Origin: "来源", Starts: "启动", Updates: "更新", Gathers: "采集", Points: "数据点",
		Name: "名称", Runs: "运行", Queue: "排队", Written: "已写", Dropped: "丢弃", Store: "配置中心",
		Difference: "差异", Machine: "供程序使用",
	}
}
