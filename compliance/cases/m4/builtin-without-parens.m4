index substr regexp len eval ifelse define ifdef shift format incr
