package net

import "datakit.dev/internal/input"

func fields() []input.Field {
	count := func(name, doc, docZH string) input.Field { return input.Int(name, "count", doc, docZH) }
	perSecond := func(name, doc, docZH string) input.Field {
		return input.Int(name+"/sec", "count per second", doc, docZH)
	}
	return []input.Field{
		input.Int("bytes_sent", "bytes", "Bytes sent.", "发送字节数。"),
		input.Int("bytes_sent/sec", "bytes per second", "Bytes sent a second.", "每秒发送字节数。"),
		input.Int("bytes_recv", "bytes", "Bytes received.", "接收字节数。"),
		input.Int("bytes_recv/sec", "bytes per second", "Bytes received a second.", "每秒接收字节数。"),
		count("packets_sent", "Packets sent.", "发送包数。"),
		perSecond("packets_sent", "Packets sent a second.", "每秒发送包数。"),
		count("packets_recv", "Packets received.", "接收包数。"),
		perSecond("packets_recv", "Packets received a second.", "每秒接收包数。"),
		count("err_in", "Errors while receiving.", "接收错误数。"),
		count("err_out", "Errors while sending.", "发送错误数。"),
		count("drop_in", "Received packets that were dropped.", "接收丢包数。"),
		count("drop_out", "Packets dropped instead of sent.", "发送丢包数。"),

		count("tcp_insegs", "TCP segments received (Linux).", "TCP 接收段数（Linux）。"),
		perSecond("tcp_insegs", "TCP segments received a second (Linux).", "每秒 TCP 接收段数（Linux）。"),
		count("tcp_outsegs", "TCP segments sent (Linux).", "TCP 发送段数（Linux）。"),
		perSecond("tcp_outsegs", "TCP segments sent a second (Linux).", "每秒 TCP 发送段数（Linux）。"),
		count("tcp_activeopens", "TCP connections that this side opened (Linux).", "主动打开的 TCP 连接数（Linux）。"),
		count("tcp_passiveopens", "TCP connections that the other side opened (Linux).", "被动打开的 TCP 连接数（Linux）。"),
		count("tcp_estabresets", "Established TCP connections that were reset (Linux).", "已建立后被重置的 TCP 连接数（Linux）。"),
		count("tcp_attemptfails", "TCP connections that failed to open (Linux).", "打开失败的 TCP 连接数（Linux）。"),
		count("tcp_outrsts", "TCP resets sent (Linux).", "发送的 TCP RST 数（Linux）。"),
		count("tcp_retranssegs", "TCP segments sent again (Linux).", "TCP 重传段数（Linux）。"),
		count("tcp_inerrs", "TCP segments received with errors (Linux).", "接收出错的 TCP 段数（Linux）。"),
		count("tcp_incsumerrors", "TCP segments received with a wrong checksum (Linux).", "校验和错误的 TCP 段数（Linux）。"),
		count("tcp_rtoalgorithm", "Number of the algorithm for retransmission timeouts, as RFC 1213 has it (Linux).", "重传超时算法编号，见 RFC 1213（Linux）。"),
		input.Int("tcp_rtomin", "ms", "Least retransmission timeout (Linux).", "最小重传超时（Linux）。"),
		input.Int("tcp_rtomax", "ms", "Greatest retransmission timeout (Linux).", "最大重传超时（Linux）。"),
		count("tcp_maxconn", "Limit of TCP connections, where there is one (Linux).", "TCP 连接数上限，无上限时不输出（Linux）。"),
		count("tcp_currestab", "TCP connections that are open now (Linux).", "当前打开的 TCP 连接数（Linux）。"),
		count("udp_indatagrams", "UDP datagrams delivered to programs (Linux).", "交付给程序的 UDP 数据报数（Linux）。"),
		perSecond("udp_indatagrams", "UDP datagrams delivered a second (Linux).", "每秒交付的 UDP 数据报数（Linux）。"),
		count("udp_outdatagrams", "UDP datagrams sent (Linux).", "发送的 UDP 数据报数（Linux）。"),
		perSecond("udp_outdatagrams", "UDP datagrams sent a second (Linux).", "每秒发送的 UDP 数据报数（Linux）。"),
		count("udp_incsumerrors", "UDP datagrams received with a wrong checksum (Linux).", "校验和错误的 UDP 数据报数（Linux）。"),
		count("udp_rcvbuferrors", "UDP datagrams dropped as the receive buffer was full (Linux).", "接收缓冲区满而丢弃的 UDP 数据报数（Linux）。"),
		count("udp_sndbuferrors", "UDP datagrams dropped as the send buffer was full (Linux).", "发送缓冲区满而丢弃的 UDP 数据报数（Linux）。"),
		count("udp_noports", "UDP datagrams for a port that nobody listens on (Linux).", "目标端口无监听的 UDP 数据报数（Linux）。"),
		count("udp_inerrors", "UDP datagrams received with errors (Linux).", "接收出错的 UDP 数据报数（Linux）。"),
		count("udp_memerrors", "UDP datagrams dropped for want of memory (Linux).", "因内存不足丢弃的 UDP 数据报数（Linux）。"),
		count("udp_ignoredmulti", "Multicast datagrams that nobody wanted (Linux).", "被忽略的组播数据报数（Linux）。"),
	}
}
